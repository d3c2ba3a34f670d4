import { getGitKey, regenerateGitKey } from "@slipway/api";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { command } from "./command.ts";

export async function run(
  { reset, yes }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  if (reset && !yes) await confirm(terminal);
  const params = { user: "me" };
  const { public_key } = await client.call(reset ? regenerateGitKey : getGitKey, {
    params,
    signal,
  });
  terminal.out.line(public_key.trim());
  if (reset) terminal.err.line("replace the old key wherever you added it: it no longer works");
  return exitCodes.ok;
}

async function confirm({ interactive, prompts }: Terminal): Promise<void> {
  if (!interactive) {
    throw new UsageError("not a terminal: pass --yes to replace the old key");
  }
  if (!(await prompts.confirm("Generate a new key? The old one stops working.")))
    throw new CommandError("the key was not changed");
}
