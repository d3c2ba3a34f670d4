import { basename } from "node:path";

import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import type { Needs } from "../command/needs.ts";
import { completionScripts } from "./completion/scripts.ts";
import { type Shell, shells } from "./completion/shells.ts";

export const command = defineCommand({
  summary: "print a shell completion script",
  description:
    "Print a completion script for bash, zsh, fish or PowerShell (default: the shell in $SHELL). Names of " +
    "workspaces, templates and the like come from the server, which has 1.5 seconds to answer.",
  arguments: {
    name: { summary: `shell: ${shells.join(", ")}`, required: false, completion: shells },
  },
  flags: {
    shell: {
      kind: "text",
      short: "s",
      value: "name",
      summary: "same as the argument, for scripts written for coder",
      hidden: true,
      completion: shells,
    },
    print: {
      kind: "switch",
      short: "p",
      summary: "no effect: printing is the default",
      hidden: true,
    },
  },
  examples: [
    { line: "slipway completion bash", summary: "print the script for bash" },
    { line: "source <(slipway completion bash)", summary: "in ~/.bashrc; for zsh in ~/.zshrc" },
    { line: "slipway completion fish | source", summary: "in ~/.config/fish/config.fish" },
    {
      line: "slipway completion powershell | Out-String | Invoke-Expression",
      summary: "in $PROFILE",
    },
  ],
});

export function run(
  options: OptionsOf<typeof command>,
  { terminal, environment }: Pick<Needs, "terminal" | "environment">,
): Promise<number> {
  const shell = chooseShell(options.name ?? options.shell, environment["SHELL"]);
  terminal.out.write(completionScripts[shell]);
  if (terminal.out.isTerminal) terminal.err.line("to set it up, see: slipway completion --help");
  return Promise.resolve(exitCodes.ok);
}

function chooseShell(given: string | undefined, loginShell: string | undefined): Shell {
  const name = given ?? basename(loginShell ?? "");
  const found = shells.find((shell) => shell === name);
  if (found !== undefined) return found;
  throw new UsageError(
    given === undefined ? "no shell given" : `no completion for the shell "${given}"`,
    `pass one of ${shells.join(", ")}`,
  );
}
