/**
 * Returns the approximate number of instructions that a regular expression compiles to: one per element that it
 * matches, times the counts of the repetitions around it. Takes time proportional to the length, and also accepts
 * expressions that do not compile.
 */
export function estimateRegexSize(source: string): number {
  const outer: number[] = [];
  let sum = 0;
  let last = 0;
  const add = (size: number): void => {
    sum += last;
    last = size;
  };
  for (let at = 0; at < source.length;) {
    const repetition = repetitionAt(source, at);
    if (repetition !== undefined) {
      last = last * repetition.copies + repetition.optional;
      at = repetition.end;
      continue;
    }
    const flagsEnd = flagsEndAt(source, at);
    if (flagsEnd !== undefined) {
      at = flagsEnd;
      continue;
    }
    const char = source.charAt(at);
    const end = char === "(" ? groupStartEnd(source, at) : tokenEnd(source, at);
    if (char === "(") {
      outer.push(sum + last);
      sum = 0;
      last = 0;
    } else if (char === ")") {
      const size = sum + last + 2;
      sum = outer.pop() ?? 0;
      last = 0;
      add(size);
    } else if (char === "*" || char === "+" || char === "?" || char === "|") last += 1;
    else add(source.startsWith(quote, at) ? end - at : 1);
    at = end;
  }
  return outer.reduce((total, size) => total + size, sum + last);
}

/** Returns the end of a `(?i)`, which compiles to nothing: a following repetition applies to what precedes it. */
function flagsEndAt(source: string, at: number): number | undefined {
  const found = /^\(\?[A-Za-z-]{1,8}\)/.exec(source.slice(at, at + 12));
  return found === null ? undefined : at + found[0].length;
}

/** Returns the end of `(`, `(?:`, `(?i:`, `(?<name>` or `(?P<name>`. */
function groupStartEnd(source: string, at: number): number {
  const found = /^\(\?(?:P?<\w{1,64}>|[A-Za-z-]{0,8}:)/.exec(source.slice(at, at + 80));
  return at + (found?.[0].length ?? 1);
}

interface Repetition {
  readonly copies: number;
  /** The number of repetitions that may be omitted, each for one more instruction. */
  readonly optional: number;
  readonly end: number;
}

/** Parses `{n}`, `{n,}` or `{n,m}`. */
function repetitionAt(source: string, at: number): Repetition | undefined {
  if (source.charAt(at) !== "{") return undefined;
  const found = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(source.slice(at, at + maxRepetitionText));
  if (found === null) return undefined;
  const [text, least, comma, most] = found;
  const copies = Math.max(Number(least), Number(most ?? 0), 1);
  const optional = comma === undefined ? 0 : Math.max(copies - Number(least), 1);
  return { copies, optional, end: at + text.length };
}

const maxRepetitionText = 16;

const quote = "\\Q";

/** Returns the end of one element: an escape, a class in brackets, or a character. */
function tokenEnd(source: string, at: number): number {
  const char = source.charAt(at);
  if (char === "[") return classEnd(source, at);
  if (char !== "\\") return at + 1;
  if (source.startsWith(quote, at)) return endAfter(source, "\\E", at + 2);
  return escapeEnd(source, at);
}

/** Returns the end of an escape; `\pL`, `\p{…}` and `\x{…}` are followed by a name or number. */
function escapeEnd(source: string, at: number): number {
  const start = source.slice(at, at + 3);
  if (/^\\[pPx]\{/.test(start)) return endAfter(source, "}", at + 3);
  return /^\\[pP]/.test(start) ? at + 3 : at + 2;
}

function classEnd(source: string, start: number): number {
  let at = start + 1;
  if (source.charAt(at) === "^") at += 1;
  // A leading bracket is one of the characters.
  if (source.charAt(at) === "]") at += 1;
  while (at < source.length && source.charAt(at) !== "]") {
    if (source.startsWith("[:", at) && source.includes(":]", at + 2)) {
      at = endAfter(source, ":]", at + 2);
    } else at = source.charAt(at) === "\\" ? escapeEnd(source, at) : at + 1;
  }
  return at + 1;
}

function endAfter(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from);
  return found === -1 ? source.length : found + mark.length;
}
