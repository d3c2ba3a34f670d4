import type { CompletionSource, Flag, FlagValue } from "./flags.ts";
import type { Needs } from "./needs.ts";

/** A word of the command line that is not a flag. */
export interface Argument {
  readonly summary: string;
  readonly required: boolean;
  /** True if the last argument takes any number of words. */
  readonly variadic?: boolean;
  readonly completion?: CompletionSource;
}

/** A command's interface without its behavior: enough to parse a command line and print its help. */
export interface CommandDefinition<
  A extends Readonly<Record<string, Argument>> = Readonly<Record<string, Argument>>,
  F extends Readonly<Record<string, Flag>> = Readonly<Record<string, Flag>>,
> {
  /** One phrase, for lists. */
  readonly summary: string;
  /** Aliases of the last word that calls it. */
  readonly aliases?: readonly string[];
  /** A longer text for the command's own help. */
  readonly description?: string;
  /** In typing order. */
  readonly arguments: A;
  /** By name in camel case: `noWait` is `--no-wait`. */
  readonly flags: F;
  readonly examples: readonly Example[];
}

/** A group of commands, such as `templates`, which does nothing itself. */
export interface GroupDefinition {
  /** One phrase, for lists. */
  readonly summary: string;
  /** Aliases of its last word. */
  readonly aliases?: readonly string[];
}

interface Example {
  readonly line: string;
  readonly summary: string;
}

/** Arguments and flags as passed to a command's `run`. */
export type OptionsOf<D extends CommandDefinition> = {
  readonly [K in keyof D["arguments"]]: D["arguments"][K] extends { readonly variadic: true }
    ? readonly string[]
    : D["arguments"][K] extends { readonly required: true }
      ? string
      : string | undefined;
} & { readonly [K in keyof D["flags"]]: FlagValue<D["flags"][K]> };

/** Declares a command; keeps the types of its arguments and flags. */
export function defineCommand<
  const A extends Readonly<Record<string, Argument>>,
  const F extends Readonly<Record<string, Flag>>,
>(definition: CommandDefinition<A, F>): CommandDefinition<A, F> {
  return definition;
}

/** Returns the values of flags by the names of their environment variables; undefined if not given. */
export function variablesOf(
  definition: CommandDefinition,
  options: Readonly<Record<string, unknown>>,
): Record<string, string | undefined> {
  const variables: Record<string, string | undefined> = {};
  for (const [key, { variable }] of Object.entries(definition.flags)) {
    const value = options[key];
    if (variable !== undefined) variables[variable] = textOf(value);
  }
  return variables;
}

/** Returns undefined for a switch that is not set, so that the environment decides. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return value === true ? "true" : undefined;
}

/** Runs a command; resolves with its exit code. */
type Run<D extends CommandDefinition> = (options: OptionsOf<D>, needs: Needs) => Promise<number>;

/** Options of a command whose definition is not known here. */
export type AnyOptions = Readonly<Record<string, unknown>>;

/** All commands and groups of the program. */
export interface CommandTable {
  /** In the order of the help. */
  readonly commands: readonly LazyCommand[];
  readonly groups: readonly CommandGroup[];
}

/** A group of commands. */
export interface CommandGroup extends GroupDefinition {
  /** The words that call it: `templates`, `templates versions`. */
  readonly name: string;
}

/** A command as the lists of the help and the completion show it. */
export interface CommandListing extends Pick<CommandDefinition, "summary" | "aliases"> {
  /** The words that call it: `templates push`. */
  readonly name: string;
  /** The heading under which the help lists it. */
  readonly heading: string;
}

/** A command whose definition and behavior are loaded on demand; lists need neither. */
export interface LazyCommand extends CommandListing {
  readonly definition: () => Promise<CommandDefinition>;
  readonly run: (options: AnyOptions, needs: Needs) => Promise<number>;
}

/** Ties a definition to its `run`, both loaded on use: `slipway version` loads no other command. */
export function lazyCommand<D extends CommandDefinition>(
  listing: CommandListing,
  loadCommand: () => Promise<{ readonly command: D }>,
  loadRun: () => Promise<{ readonly run: Run<D> }>,
): LazyCommand {
  return {
    ...listing,
    definition: async () => (await loadCommand()).command,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by this definition
    run: async (options, needs) => (await loadRun()).run(options as OptionsOf<D>, needs),
  };
}
