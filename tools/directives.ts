const lintDirective = /\/[/*]\s*(?:oxlint|eslint)-disable(-next-line|-line)?\b(.*)/;
const typeDirective = /\/[/*]\s*@ts-(?:expect-error|ignore|nocheck)\b(.*)/;

/**
 * Returns the numbers of the lines, from 1, that disable a check for more than one line or without a reason: a reason
 * follows `--` for the linter, and the directive for the compiler.
 */
export function findBadDirectives(text: string): number[] {
  return text.split("\n").flatMap((line, index) => (isBad(line) ? [index + 1] : []));
}

function isBad(line: string): boolean {
  const lint = lintDirective.exec(line);
  if (lint !== null) return lint[1] === undefined || !/ -- \S/.test(lint[2] ?? "");
  const type = typeDirective.exec(line);
  return type !== null && (type[1] ?? "").trim() === "";
}
