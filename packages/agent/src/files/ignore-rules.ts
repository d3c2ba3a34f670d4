/** A rule of an ignore file (gitignore(5)). */
interface IgnoreRule {
  readonly pattern: RegExp;
  readonly isNegated: boolean;
  readonly isForDirectories: boolean;
}

/** The rules of one ignore file, for paths relative to its directory. */
export type IgnoreRules = readonly IgnoreRule[];

/** The maximum number of rules that are read of a file. */
const maxRules = 2_000;
/** The maximum number of wildcards in a name: each multiplies the time of a match by the length of the name. */
const maxWildcards = 3;

/** Parses an ignore file; lines that are no rule are left out. */
export function parseIgnoreRules(text: string): IgnoreRules {
  return text
    .split("\n")
    .slice(0, maxRules)
    .flatMap((line) => parseRule(line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** Returns what the rules say of a path: the last rule that matches decides; undefined if none does. */
export function isIgnored(
  rules: IgnoreRules,
  path: string,
  isDirectory: boolean,
): boolean | undefined {
  const rule = rules.findLast(
    ({ pattern, isForDirectories }) => (isDirectory || !isForDirectories) && pattern.test(path),
  );
  return rule === undefined ? undefined : !rule.isNegated;
}

function parseRule(line: string): readonly IgnoreRule[] {
  const isNegated = line.startsWith("!");
  const text = trimEnd(isNegated ? line.slice(1) : line);
  if (text === "" || line.startsWith("#")) return [];
  const isForDirectories = text.endsWith("/");
  const pattern = globPattern(isForDirectories ? text.slice(0, -1) : text);
  return pattern === undefined ? [] : [{ pattern, isNegated, isForDirectories }];
}

/** Removes blanks at the end, unless they are escaped. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === " " && text[end - 2] !== "\\") end -= 1;
  return text.slice(0, end);
}

/**
 * Returns the pattern of a glob: without a slash it matches a name at any depth, with one a path from the top.
 * Undefined for a glob with too many wildcards, which could take forever.
 */
export function globPattern(glob: string): RegExp | undefined {
  const isAnchored = glob.slice(0, -1).includes("/");
  const segments = glob.replace(/^\//, "").split("/");
  if (segments.some((segment) => wildcards(segment) > maxWildcards)) return undefined;
  if (segments.filter((segment) => segment === "**").length > maxWildcards) return undefined;
  const parts = segments.map((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === "**") return isLast ? ".*" : "(?:[^/]*/)*";
    return segmentPattern(segment) + (isLast ? "" : "/");
  });
  try {
    return new RegExp(`^${isAnchored ? "" : "(?:.*/)?"}${parts.join("")}$`, "s");
  } catch {
    // A set of characters such as `[z-a]` matches nothing.
    return undefined;
  }
}

function wildcards(segment: string): number {
  return segment.match(/\*+/g)?.length ?? 0;
}

/** Translates a name: `*`, `?`, sets of characters and escapes. */
function segmentPattern(segment: string): string {
  return segment.replaceAll(
    /\\(.)|(\*+)|(\?)|\[([!^]?)((?:\\.|[^\]\\])(?:\\.|[^\]\\])*)\]|([^\w])/gs,
    (_found, escaped, stars, mark, negation, set, other) => {
      if (stars !== undefined) return "[^/]*";
      if (mark !== undefined) return "[^/]";
      if (set !== undefined) {
        const characters = String(set).replaceAll(/[[\]^]/g, String.raw`\$&`);
        return `[${negation === "" ? "" : "^/"}${characters}]`;
      }
      return `\\${escaped ?? other}`.replace(/^\\(\w)$/, "$1");
    },
  );
}
