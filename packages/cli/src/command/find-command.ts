import type { LazyCommand } from "./lazy-command.ts";

/** Flags before the command's name that take a value of their own. */
const globalsWithValue: ReadonlySet<string> = new Set(["--url", "--token", "--config-dir"]);

/** The command that a command line calls: the longest name that its first words spell. */
export function findCommand(
  commands: readonly LazyCommand[],
  words: readonly string[],
): LazyCommand | undefined {
  const leading = leadingWords(words);
  for (let length = leading.length; length > 0; length -= 1) {
    const spelled = leading.slice(0, length).join(" ");
    const found = commands.find(({ name }) => name === spelled);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Most words of a command's name. */
const maxNameWords = 3;

function leadingWords(words: readonly string[]): string[] {
  const found: string[] = [];
  for (let index = 0; index < words.length && found.length < maxNameWords; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-")) found.push(word);
    else if (globalsWithValue.has(word)) index += 1;
  }
  return found;
}
