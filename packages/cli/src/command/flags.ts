/** What all flags say of themselves. */
interface FlagBase {
  /** One phrase for the help. */
  readonly summary: string;
  /** One letter. */
  readonly short?: string;
  /** The environment variable of the same meaning: shown in the help, and the name under which a value is handed on. */
  readonly variable?: string;
}

/** `--follow`: there or not. */
export interface SwitchFlag extends FlagBase {
  readonly kind: "switch";
}

/** `--name N`; `value` is what the help calls N. */
export interface TextFlag extends FlagBase {
  readonly kind: "text";
  readonly value: string;
}

/** `--parameter a=b --parameter c=d`: any number of times. */
export interface ListFlag extends FlagBase {
  readonly kind: "list";
  readonly value: string;
}

/** `--build -1`: a whole number. */
export interface IntegerFlag extends FlagBase {
  readonly kind: "integer";
  readonly value: string;
}

/** `--activate`, `--activate=false`. */
export interface BooleanFlag extends FlagBase {
  readonly kind: "boolean";
  readonly fallback: boolean;
}

/** `--output json`: one of a few words, the first unless said otherwise. */
export interface ChoiceFlag<
  C extends readonly [string, ...string[]] = readonly [string, ...string[]],
> extends FlagBase {
  readonly kind: "choice";
  readonly choices: C;
}

export type Flag = SwitchFlag | TextFlag | ListFlag | IntegerFlag | BooleanFlag | ChoiceFlag;

/** What a flag gives to the command. */
export type FlagValue<F extends Flag> = F extends { readonly kind: "switch" | "boolean" }
  ? boolean
  : F extends { readonly kind: "list" }
    ? readonly string[]
    : F extends { readonly kind: "integer" }
      ? number | undefined
      : F extends { readonly kind: "choice"; readonly choices: readonly (infer C)[] }
        ? C
        : string | undefined;

/** `--output` of commands that print one result. */
export const outputFlag = {
  kind: "choice",
  short: "o",
  choices: ["text", "json"],
  summary: "how to print the result",
} as const satisfies ChoiceFlag;

/** `--no-wait` of commands that begin a build. */
export const noWaitFlag = {
  kind: "switch",
  summary: "return as soon as the build is queued",
} as const satisfies SwitchFlag;

/** `--parameter` of commands that begin a build. */
export const parameterFlag = {
  kind: "list",
  value: "name=value",
  summary: "value of a parameter of the template; repeat for more",
} as const satisfies ListFlag;

/** `--http-address` for `httpAddress`. */
export function flagName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
