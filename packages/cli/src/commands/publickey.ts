import { getAgentGitKey } from "@slipway/api/agents/owner-secret-routes";
import { getGitKey, regenerateGitKey } from "@slipway/api/users/git-key-routes";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { CommandError, UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { yesFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { connectAsAgent, isInside } from "../resources/inside/agent-client.ts";
import { hiddenAgentFlags } from "../resources/inside/agent-flags.ts";
import type { Terminal } from "../terminal/terminal.ts";

export const command = defineCommand({
  summary: "print the public key that your workspaces use for git",
  aliases: ["pubkey"],
  description:
    "Print the public half of the SSH key that your workspaces use for git. Add it to your account at the git " +
    "host. Inside a workspace it is the owner's key, without a login.",
  arguments: {},
  flags: {
    reset: { kind: "switch", summary: "generate a new key; the old one stops working" },
    yes: yesFlag,
    ...hiddenAgentFlags,
  },
  examples: [
    { line: "slipway publickey", summary: "one line, for the settings of a git host" },
    { line: "slipway publickey --reset -y", summary: "a new key, without confirmation" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "environment" | "clock" | "signal">,
): Promise<number> {
  const { reset, yes } = options;
  const { terminal, settings, environment, signal } = needs;
  if (!reset && settings.token === undefined && isInside(options, environment)) {
    const client = await connectAsAgent(options, needs);
    const { public_key } = await client.call(getAgentGitKey, { signal });
    terminal.out.line(public_key.trim());
    return exitCodes.ok;
  }
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
