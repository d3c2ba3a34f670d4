import type { LazyCommand } from "./lazy-command.ts";

/** Flags before the command's name that take a value of their own. */
const globalsWithValue: ReadonlySet<string> = new Set(["--url", "--token", "--config-dir"]);

/** The command that a command line calls: the longest name that its first words spell. */
export function findCommand(
  commands: readonly LazyCommand[],
  words: readonly string[],
): LazyCommand | undefined {
  const [first, second] = leadingWords(words);
  if (first === undefined) return undefined;
  return (
    commands.find(({ name }) => name === `${first} ${second ?? ""}`) ??
    commands.find(({ name }) => name === first)
  );
}

function leadingWords(words: readonly string[]): string[] {
  const found: string[] = [];
  for (let index = 0; index < words.length && found.length < 2; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-")) found.push(word);
    else if (globalsWithValue.has(word)) index += 1;
  }
  return found;
}
