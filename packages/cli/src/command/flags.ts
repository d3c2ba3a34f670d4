/** Kinds of names that the server knows. */
export type NameKind = "workspace" | "template" | "version" | "preset" | "user" | "token";

/** Completion of a value: files, names that the server knows, or a fixed list of words. */
export type CompletionSource = "files" | NameKind | readonly string[];

/** Properties that all flags share. */
interface FlagBase {
  /** One phrase for the help. */
  readonly summary: string;
  /** One letter. */
  readonly short?: string;
  /** The equivalent environment variable: shown in the help, and the name under which the value is passed on. */
  readonly variable?: string;
  /** Other names, without dashes, that scripts written for `coder` use: accepted, but not in the help. */
  readonly aliases?: readonly string[];
  /** Accepted, but not in the help: only scripts written for `coder` pass it. */
  readonly hidden?: boolean;
}

/** `--follow`: present or absent. */
export interface SwitchFlag extends FlagBase {
  readonly kind: "switch";
}

/** `--name N`; `value` is the placeholder for N in the help. */
export interface TextFlag extends FlagBase {
  readonly kind: "text";
  readonly value: string;
  /** The accepted words; undefined for any text. Spaces and dashes may stand for underscores. */
  readonly choices?: readonly string[];
  readonly completion?: CompletionSource;
}

/** `--parameter a=b --parameter c=d`: any number of times. */
export interface ListFlag extends FlagBase {
  readonly kind: "list";
  readonly value: string;
  readonly completion?: CompletionSource;
}

/** `--build -1`: a whole number. */
interface IntegerFlag extends FlagBase {
  readonly kind: "integer";
  readonly value: string;
}

/** `--activate`, `--activate=false`. */
export interface BooleanFlag extends FlagBase {
  readonly kind: "boolean";
  readonly defaultValue: boolean;
}

/** `--output json`: one of a few words (default: the first). */
export interface ChoiceFlag<
  C extends readonly [string, ...string[]] = readonly [string, ...string[]],
> extends FlagBase {
  readonly kind: "choice";
  readonly choices: C;
  /** Aliases of choices. */
  readonly synonyms?: Readonly<Record<string, C[number]>>;
}

/** `--column name,status`: columns of a table, in printing order. */
export interface ColumnsFlag<N extends string = string> extends FlagBase {
  readonly kind: "columns";
  readonly columns: readonly N[];
  /** The columns printed by default. */
  readonly defaultColumns: readonly N[];
}

export type Flag =
  | SwitchFlag
  | TextFlag
  | ListFlag
  | IntegerFlag
  | BooleanFlag
  | ChoiceFlag
  | ColumnsFlag;

/** The type of a flag's value. */
export type FlagValue<F extends Flag> = F extends { readonly kind: "switch" | "boolean" }
  ? boolean
  : F extends { readonly kind: "list" }
    ? readonly string[]
    : F extends { readonly kind: "integer" }
      ? number | undefined
      : F extends { readonly kind: "choice"; readonly choices: readonly (infer C)[] }
        ? C
        : F extends { readonly kind: "columns"; readonly columns: readonly (infer N)[] }
          ? readonly N[]
          : string | undefined;

/** `--output` of commands that print one result. */
export const outputFlag = {
  kind: "choice",
  short: "o",
  choices: ["text", "json"],
  synonyms: { table: "text" },
  summary: "output format",
} as const satisfies ChoiceFlag;

/** `--column` of commands that print a table. */
export function columnFlag<const N extends string>(
  columns: readonly N[],
  defaultColumns: readonly NoInfer<N>[] = columns,
): ColumnsFlag<N> {
  return { kind: "columns", short: "c", columns, defaultColumns, summary: "columns to print" };
}

/** `--yes` of commands that ask for confirmation of irreversible actions. */
export const yesFlag = {
  kind: "switch",
  short: "y",
  summary: "do not ask for confirmation",
} as const satisfies SwitchFlag;

/** `--yes` of commands that never ask: accepted, because scripts written for `coder` pass it. */
export const ignoredYesFlag = { ...yesFlag, hidden: true } as const satisfies SwitchFlag;

/** `--password-stdin` of commands that set a password; a flag with the password itself would expose it to `ps`. */
export const passwordStdinFlag = {
  kind: "switch",
  summary: "read the password from stdin, or ask for it on a terminal",
} as const satisfies SwitchFlag;

/** `--no-wait` of commands that start a build. */
export const noWaitFlag = {
  kind: "switch",
  summary: "return as soon as the build is queued",
} as const satisfies SwitchFlag;

/** `--http-address` for `httpAddress`. */
export function flagName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
