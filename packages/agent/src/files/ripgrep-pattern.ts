/** The escapes that mean other characters in the syntax of Rust, as they are outside and inside a set. */
const classes: Readonly<Record<string, readonly [string, string | undefined]>> = {
  d: ["[0-9]", "0-9"],
  D: ["[^0-9]", undefined],
  w: ["[0-9A-Za-z_]", "0-9A-Za-z_"],
  W: ["[^0-9A-Za-z_]", undefined],
  s: [String.raw`[\t\n\f\r ]`, String.raw`\t\n\f\r `],
  S: [String.raw`[^\t\n\f\r ]`, undefined],
  b: [String.raw`(?-u:\b)`, undefined],
  B: [String.raw`(?-u:\B)`, undefined],
  t: [String.raw`\t`, String.raw`\t`],
};

/** An escape, a set, the start of a group, a repetition, or another character. */
const token =
  /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|\((\?:)?(?!\?)|\{\d+(?:,\d*)?\}|([^[\](){}\\])|\)/gsu;

/**
 * Translates an expression of RE2 to the syntax of ripgrep, in which some escapes stand for characters of all scripts.
 * Undefined for an expression that might mean something else there, or no line.
 */
export function ripgrepPattern(pattern: string): string | undefined {
  const translated: string[] = [];
  let end = 0;
  for (const found of pattern.matchAll(token)) {
    if (found.index !== end) return undefined;
    end += found[0].length;
    const [, escaped, negation = "", set] = found;
    const part =
      escaped !== undefined
        ? escape(escaped, "outside")
        : set === undefined
          ? found[0]
          : translatedSet(negation, set);
    if (part === undefined || part.includes("\n")) return undefined;
    translated.push(part);
  }
  return end === pattern.length ? translated.join("") : undefined;
}

function translatedSet(negation: string, set: string): string | undefined {
  // Sets within sets, and their intersections and differences, are known to Rust only.
  if (/^\]|\[|&&|--|~~/.test(set)) return undefined;
  const parts = [...set.matchAll(/\\(.)|[^\\]/gsu)].map(([whole, escaped]) =>
    escaped === undefined ? whole : escape(escaped, "inside"),
  );
  return parts.includes(undefined) ? undefined : `[${negation}${parts.join("")}]`;
}

function escape(character: string, place: "outside" | "inside"): string | undefined {
  if (/^[\p{P}\p{S}]$/u.test(character) && character < "\u0080") return `\\${character}`;
  return classes[character]?.[place === "outside" ? 0 : 1];
}
