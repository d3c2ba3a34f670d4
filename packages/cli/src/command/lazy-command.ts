import type { CommandDefinition, OptionsOf } from "./definition.ts";
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

/** A group of commands: `templates`, `templates versions`. */
export interface CommandGroup {
  readonly name: string;
  /** One phrase for the help. */
  readonly summary: string;
  /** Aliases of its last word. */
  readonly aliases?: readonly string[];
}

/** A command whose definition is loaded on demand. */
export interface LazyCommand {
  /** The words that call it. */
  readonly name: string;
  /** Aliases of its last word. */
  readonly aliases?: readonly string[];
  /** The heading under which the help lists it. */
  readonly group: string;
  readonly definition: () => Promise<CommandDefinition>;
  readonly run: (options: AnyOptions, needs: Needs) => Promise<number>;
}

/** Ties a definition to its `run`, both loaded on use: `slipway version` loads no other command. */
export function lazyCommand<D extends CommandDefinition>(
  names: Pick<LazyCommand, "name" | "group" | "aliases">,
  loadCommand: () => Promise<{ readonly command: D }>,
  loadRun: () => Promise<{ readonly run: Run<D> }>,
): LazyCommand {
  return {
    ...names,
    definition: async () => (await loadCommand()).command,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by this definition
    run: async (options, needs) => (await loadRun()).run(options as OptionsOf<D>, needs),
  };
}
