import type { CompletionSource, NameKind } from "./completion-source.ts";
import { lastWord, parentOf } from "./find-command.ts";
import { type Flag, flagName } from "./flags.ts";
import type { CommandGroup, CommandListing, CommandTable } from "./lazy-command.ts";
import {
  type KeyedFlag,
  knownFlags,
  readPartialCommandLine,
  type PartialCommandLine,
} from "./partial-command-line.ts";

/** A possible completion. */
export interface Candidate {
  readonly value: string;
  /** Its description; may be empty. */
  readonly summary: string;
}

/** Possible completions. Candidates are not yet filtered by the text typed so far. */
export interface Completion {
  /** The part of the word that stays in front of each candidate: `--output=`, `name,`. */
  readonly prefix: string;
  readonly candidates: readonly Candidate[];
  /** The kind of names to add from the server; they may depend on the words before. */
  readonly names: NameKind | undefined;
  /** True to add file paths, which is left to the shell. */
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
