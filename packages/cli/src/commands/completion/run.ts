import { basename } from "node:path";

import type { OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import type { command } from "./command.ts";
import { completionScripts } from "./scripts.ts";
import { type Shell, shells } from "./shells.ts";

export function run(
  options: OptionsOf<typeof command>,
  { terminal, environment }: Pick<Needs, "terminal" | "environment">,
): Promise<number> {
  const shell = chooseShell(options.name ?? options.shell, environment["SHELL"]);
  terminal.out.write(completionScripts[shell]);
  if (terminal.out.isTerminal) terminal.err.line("to set it up, see: slipway completion --help");
  return Promise.resolve(exitCodes.ok);
}

function chooseShell(given: string | undefined, usual: string | undefined): Shell {
  const name = given ?? basename(usual ?? "");
  const found = shells.find((shell) => shell === name);
  if (found !== undefined) return found;
  throw new UsageError(
    given === undefined ? "no shell given" : `no completion for the shell "${given}"`,
    `pass one of ${shells.join(", ")}`,
  );
}
