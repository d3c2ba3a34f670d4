import type {
  CommandDefinition,
  CommandGroup,
  CommandListing,
  CommandTable,
} from "../../command/definition.ts";
import { findCommand, lastWord, parentOf, withoutAliases } from "../../command/find-command.ts";
import { type CompletionSource, type Flag, flagName, type NameKind } from "../../command/flags.ts";
import { globalFlags } from "../../command/program.ts";

/** A possible completion. */
export interface Candidate {
  readonly value: string;
  /** Its description; may be empty. */
  readonly summary: string;
}

/** Possible completions. Candidates are not yet filtered by the text typed so far. */
export interface Completion {
  /** The part of the word that precedes each candidate: `--output=`, `name,`. */
  readonly prefix: string;
  readonly candidates: readonly Candidate[];
  /** The kind of names to add from the server; they may depend on the words before. */
  readonly names: NameKind | undefined;
  /** True to add file paths, which the shell completes. */
  readonly files: boolean;
}

const nothing: Completion = { prefix: "", candidates: [], names: undefined, files: false };

/** Returns the completions of the last word, which may be empty, and the parsed words before it. */
export async function complete(
  table: CommandTable,
  words: readonly string[],
): Promise<{ readonly typed: PartialCommandLine; readonly completion: Completion }> {
  const current = words.at(-1) ?? "";
  const typed = await readPartialCommandLine(table, words.slice(0, -1));
  return { typed, completion: completionOf(table, typed, current) };
}

function completionOf(table: CommandTable, typed: PartialCommandLine, current: string): Completion {
  if (typed.openFlag !== undefined) return valuesOf(typed.openFlag.flag, current, "");
  if (current.startsWith("-") && !typed.hasEndOfFlags) return completeFlag(typed, current);
  const known = Object.values(typed.definition?.arguments ?? {});
  const last = known.at(-1);
  const argument = known[typed.words.length] ?? (last?.variadic === true ? last : undefined);
  const values = completionFrom(argument?.completion);
  if (typed.words.length > 0) return values;
  return {
    ...values,
    candidates: [...commandsBelow(table, typed.path), ...values.candidates],
  };
}

function completeFlag(typed: PartialCommandLine, current: string): Completion {
  const known = knownFlags(typed.definition).filter(({ flag }) => flag.hidden !== true);
  const equals = current.indexOf("=");
  if (equals > 0) {
    const name = current.slice(0, equals);
    const found = known.find(({ key }) => flagName(key) === name);
    if (found === undefined) return nothing;
    return valuesOf(found.flag, current.slice(equals + 1), `${name}=`);
  }
  const left = known.filter(({ key, flag }) => !typed.flags.has(key) || flag.kind === "list");
  return {
    ...nothing,
    candidates: [...left.map(candidateOf), { value: "--help", summary: "show help" }],
  };
}

function candidateOf({ key, flag }: KeyedFlag): Candidate {
  return { value: flagName(key), summary: flag.summary };
}

/** Completes a flag's value. `prefix` is the text before the value in the same word. */
function valuesOf(flag: Flag, current: string, prefix: string): Completion {
  switch (flag.kind) {
    case "switch":
    case "integer":
      return nothing;
    case "boolean":
      return { ...completionFrom(["true", "false"]), prefix };
    case "choice":
      return { ...completionFrom(flag.choices), prefix };
    case "columns": {
      const before = current.slice(0, current.lastIndexOf(",") + 1);
      const left = flag.columns.filter((name) => !before.split(",").includes(name));
      return { ...completionFrom(left), prefix: prefix + before };
    }
    case "text":
      return { ...completionFrom(flag.choices ?? flag.completion), prefix };
    case "list":
      return { ...completionFrom(flag.completion), prefix };
  }
}

function completionFrom(source: CompletionSource | undefined): Completion {
  if (source === undefined) return nothing;
  if (source === "files") return { ...nothing, files: true };
  if (typeof source === "string") return { ...nothing, names: source };
  return { ...nothing, candidates: source.map((value) => ({ value, summary: "" })) };
}

/** Returns the groups and commands directly below a path. */
function commandsBelow({ commands, groups }: CommandTable, path: string): Candidate[] {
  const candidatesIn = (listed: readonly (CommandListing | CommandGroup)[]): Candidate[] =>
    listed
      .filter(({ name }) => parentOf(name) === path)
      .map(({ name, summary }) => ({ value: lastWord(name), summary }));
  return [...candidatesIn(commands), ...candidatesIn(groups)];
}

/** A command line up to the word being typed. */
export interface PartialCommandLine {
  /** The command or group typed so far; empty for the program itself. */
  readonly path: string;
  /** The definition of the command, if it is one. */
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
interface KeyedFlag {
  readonly key: string;
  readonly flag: Flag;
}

/** Reads the words before the one being typed. Never throws: skips unknown words. */
async function readPartialCommandLine(
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
function knownFlags(definition: CommandDefinition | undefined): readonly KeyedFlag[] {
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
