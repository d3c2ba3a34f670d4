import { FileError } from "./errors.ts";

/** Finds the first match in a text at or after a position; undefined if there is none. */
export type FindMatch = (text: string, from: number) => number | undefined;

export interface Matcher {
  readonly find: FindMatch;
  /** The number of characters to search at a time, so that none takes long. */
  readonly pieceChars: number;
}

export interface PatternOptions {
  /** True if the pattern is a text rather than a regular expression. */
  readonly isLiteral: boolean;
  readonly ignoresCase: boolean;
}

/** The maximum size of a compiled expression, by its length and its repetitions. */
const maxSize = 10_000;
/** The product of an expression's size and the length of a piece, on which its time depends. */
const maxSteps = 4_000_000;
const [minPieceChars, maxPieceChars] = [1_024, 64 * 1_024];

/**
 * Compiles a pattern in the syntax of RE2, whose time is linear in the length of the text, whatever the pattern. Throws
 * `FileError` "invalid".
 */
export async function compilePattern(
  pattern: string,
  { isLiteral, ignoresCase }: PatternOptions,
): Promise<Matcher> {
  if (!ignoresCase && (isLiteral || /^[\w \-/:;,=<>@#%&!"'`~]*$/.test(pattern))) {
    return {
      find: (text, from) => foundAt(text.indexOf(pattern, from)),
      pieceChars: maxPieceChars,
    };
  }
  const size = isLiteral ? pattern.length : pattern.length * repetitions(pattern);
  if (size > maxSize) {
    throw new FileError("invalid", "the pattern repeats too much to be searched for");
  }
  const { RE2JS } = await import("re2js");
  const flags = RE2JS.MULTILINE | (ignoresCase ? RE2JS.CASE_INSENSITIVE : 0);
  try {
    const compiled = RE2JS.compile(isLiteral ? RE2JS.quote(pattern) : pattern, flags);
    return {
      find: (text, from) => {
        const matcher = compiled.matcher(text);
        return matcher.find(from) ? matcher.start() : undefined;
      },
      pieceChars: Math.min(maxPieceChars, Math.max(minPieceChars, Math.floor(maxSteps / size))),
    };
  } catch (cause) {
    throw new FileError("invalid", `cannot read the pattern ${JSON.stringify(pattern)}`, { cause });
  }
}

function foundAt(index: number): number | undefined {
  return index < 0 ? undefined : index;
}

/** Returns the product of all repetitions of an expression, as if they were nested. */
function repetitions(pattern: string): number {
  return [...pattern.matchAll(/\{(\d{1,9})(?:,(\d{0,9}))?\}/g)].reduce(
    (product, [, min = "", max = ""]) => product * Math.max(1, Number(min), Number(max)),
    1,
  );
}
