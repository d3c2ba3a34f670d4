import { globPattern } from "./glob.ts";

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

/** Parses an ignore file; lines that are not rules are left out. */
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
