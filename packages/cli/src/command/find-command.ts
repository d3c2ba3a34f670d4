import type { CommandTable } from "./definition.ts";

/** Flags before the command's name that take a value. */
const globalsWithValue: ReadonlySet<string> = new Set([
  "--url",
  "--token",
  "--config-dir",
  "--org",
  "--organization",
  "-O",
  "--header",
  "--header-command",
  "--client-tls-cert-file",
  "--client-tls-key-file",
  "--client-tls-ca-file",
]);

/** The maximum number of words in a command's name. */
const maxNameWords = 4;

/** Finds the command or group at the beginning of a command line: the longest name that its first words spell. */
export function findCommand<T extends { readonly name: string }>(
  items: readonly T[],
  words: readonly string[],
): T | undefined {
  const leading = leadingWords(words).map((index) => words[index] ?? "");
  for (let length = leading.length; length > 0; length -= 1) {
    const spelled = leading.slice(0, length).join(" ");
    const found = items.find(({ name }) => name === spelled);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Replaces aliases of commands and groups by their names: `ls` becomes `list`. */
export function withoutAliases(
  { commands, groups }: CommandTable,
  words: readonly string[],
): readonly string[] {
  const named = [...groups, ...commands];
  const replaced = [...words];
  let above = "";
  for (const index of leadingWords(words)) {
    const word = words[index] ?? "";
    const below = named.filter(({ name }) => parentOf(name) === above);
    const found =
      below.find(({ name }) => lastWord(name) === word) ??
      below.find(({ aliases }) => aliases?.includes(word) === true);
    if (found === undefined) break;
    replaced[index] = lastWord(found.name);
    above = found.name;
  }
  return replaced;
}

/**
 * Returns the positions of words that may spell a command: all except flags and their values, up to the longest name.
 */
function leadingWords(words: readonly string[]): number[] {
  const found: number[] = [];
  for (let index = 0; index < words.length && found.length < maxNameWords; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-")) found.push(index);
    else if (globalsWithValue.has(word)) index += 1;
  }
  return found;
}

/** Returns `templates versions` for `templates versions list`; empty for one word. */
export function parentOf(name: string): string {
  return name.split(" ").slice(0, -1).join(" ");
}

export function lastWord(name: string): string {
  return name.split(" ").at(-1) ?? name;
}
