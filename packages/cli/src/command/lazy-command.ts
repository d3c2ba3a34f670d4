import type { CommandDefinition, GroupDefinition, OptionsOf } from "./definition.ts";
import type { Needs } from "./needs.ts";

/** Runs a command; resolves with its exit code. */
export type Run<D extends CommandDefinition> = (
  options: OptionsOf<D>,
  needs: Needs,
) => Promise<number>;

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
