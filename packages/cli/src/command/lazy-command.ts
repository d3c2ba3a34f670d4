import type { CommandDefinition, OptionsOf } from "./definition.ts";
import type { Needs } from "./needs.ts";

/** Runs a command; resolves with its exit code. */
export type Run<D extends CommandDefinition> = (
  options: OptionsOf<D>,
  needs: Needs,
) => Promise<number>;

/** Options of a command whose definition is not known here. */
export type AnyOptions = Readonly<Record<string, unknown>>;

/** All that the program offers. */
export interface CommandTable {
  /** In the order in which the help lists them. */
  readonly commands: readonly LazyCommand[];
  readonly groups: readonly CommandGroup[];
}

/** Words that commands stand below: `templates`, `templates versions`. */
export interface CommandGroup {
  readonly name: string;
  /** One phrase for the help. */
  readonly summary: string;
  /** Other words for its last one. */
  readonly aliases?: readonly string[];
}

/** A command of which only the name is loaded. */
export interface LazyCommand {
  /** The words that call it. */
  readonly name: string;
  /** Other words for its last one. */
  readonly aliases?: readonly string[];
  /** The heading under which the help lists it. */
  readonly group: string;
  readonly definition: () => Promise<CommandDefinition>;
  readonly run: (options: AnyOptions, needs: Needs) => Promise<number>;
}

/** Ties a definition to what runs it, both loaded when they are used: starting `slipway version` loads only that. */
export function lazyCommand<D extends CommandDefinition>(
  names: Pick<LazyCommand, "name" | "group" | "aliases">,
  loadCommand: () => Promise<{ readonly command: D }>,
  loadRun: () => Promise<{ readonly run: Run<D> }>,
): LazyCommand {
  return {
    ...names,
    definition: async () => (await loadCommand()).command,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- they were parsed by this very definition
    run: async (options, needs) => (await loadRun()).run(options as OptionsOf<D>, needs),
  };
}
