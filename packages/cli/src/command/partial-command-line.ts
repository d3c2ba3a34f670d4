import type { CommandDefinition } from "./definition.ts";
import { findCommand, withoutAliases } from "./find-command.ts";
import { type Flag, flagName } from "./flags.ts";
import type { CommandTable } from "./lazy-command.ts";
import { globalFlags } from "./program.ts";

/** A command line up to the word that is still being typed. */
export interface PartialCommandLine {
  /** The command or group typed so far; empty for the program itself. */
  readonly path: string;
  /** Of the command, if it is one. */
  readonly definition: CommandDefinition | undefined;
  /** Words that are neither flags nor part of the path. */
  readonly words: readonly string[];
  /** Values of the given flags, by key; empty for switches. */
  readonly flags: ReadonlyMap<string, string>;
  /** The flag whose value is being typed. */
  readonly openFlag: KeyedFlag | undefined;
  /** True after `--`, which ends the flags. */
  readonly hasEndOfFlags: boolean;
}

/** A flag and the key of its definition. */
export interface KeyedFlag {
  readonly key: string;
  readonly flag: Flag;
}

/** Reads the words before the one being typed. Never throws: skips unknown words. */
export async function readPartialCommandLine(
  table: CommandTable,
  before: readonly string[],
): Promise<PartialCommandLine> {
  const words = withoutAliases(table, before);
  const path = pathOf(table, words);
  const definition = await table.commands.find(({ name }) => name === path)?.definition();
  const known = knownFlags(definition);
  const plain: string[] = [];
  const flags = new Map<string, string>();
  let openFlag: KeyedFlag | undefined;
  let hasEndOfFlags = false;
  for (const word of words) {
    if (openFlag !== undefined) {
      flags.set(openFlag.key, word);
      openFlag = undefined;
    } else if (hasEndOfFlags || !word.startsWith("-") || word === "-") plain.push(word);
    else if (word === "--") hasEndOfFlags = true;
    else {
      const [name = "", ...values] = word.split("=");
      const found = known.find(
        ({ key, flag }) =>
          name === flagName(key) ||
          name === `-${flag.short}` ||
          flag.aliases?.some((alias) => name === `--${alias}`) === true,
      );
      if (found === undefined) continue;
      if (values.length === 0 && takesWord(found.flag)) openFlag = found;
      else flags.set(found.key, values.join("="));
    }
  }
  const ownWords = path === "" ? 0 : path.split(" ").length;
  return { path, definition, words: plain.slice(ownWords), flags, openFlag, hasEndOfFlags };
}

/** Returns the flags of a command and the global flags. */
export function knownFlags(definition: CommandDefinition | undefined): readonly KeyedFlag[] {
  const own: Readonly<Record<string, Flag>> = definition?.flags ?? {};
  return Object.entries({ ...own, ...globalFlags }).map(([key, flag]) => ({ key, flag }));
}

/** Returns the longest name of a command or group that the words begin with. */
function pathOf({ commands, groups }: CommandTable, words: readonly string[]): string {
  const group = findCommand(groups, words)?.name ?? "";
  const command = findCommand(commands, words)?.name ?? "";
  return command.length > group.length ? command : group;
}

/** Returns whether the next word is the flag's value. */
function takesWord({ kind }: Flag): boolean {
  return kind !== "switch" && kind !== "boolean";
}
