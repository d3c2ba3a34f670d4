/** The maximum number of wildcards in a name: each multiplies the time of a match by the length of the name. */
const maxWildcards = 3;
/** The maximum number of globs that braces stand for. */
const maxAlternatives = 64;

/** Returns the globs that the braces of one stand for, as `*.{ts,js}` does; undefined if they are too many. */
export function expandBraces(glob: string): readonly string[] | undefined {
  const globs = [...alternatives(glob).take(maxAlternatives + 1)];
  return globs.length > maxAlternatives ? undefined : globs;
}

function* alternatives(glob: string): Generator<string> {
  const group = firstGroup(glob);
  if (group === undefined) {
    yield glob;
    return;
  }
  for (const part of group.parts) yield* alternatives(group.before + part + group.after);
}

interface BraceGroup {
  readonly before: string;
  readonly parts: readonly string[];
  readonly after: string;
}

/** Splits a glob at its first braces, which may contain others; undefined without any that are closed. */
function firstGroup(glob: string): BraceGroup | undefined {
  const parts: string[] = [];
  let [open, from, depth] = [-1, 0, 0];
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob[at];
    if (character === "\\") at += 1;
    else if (character === "{") {
      if (depth === 0) [open, from] = [at, at + 1];
      depth += 1;
    } else if (character === "," && depth === 1) {
      parts.push(glob.slice(from, at));
      from = at + 1;
    } else if (character === "}" && depth > 0) {
      depth -= 1;
      if (depth > 0) continue;
      parts.push(glob.slice(from, at));
      return { before: glob.slice(0, open), parts, after: glob.slice(at + 1) };
    }
  }
  return undefined;
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
