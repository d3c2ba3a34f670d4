import { defineCommand } from "../../command/definition.ts";
import { yesFlag } from "../../command/flags.ts";

export const command = defineCommand({
  summary: "print the public key that your workspaces use for git",
  aliases: ["pubkey"],
  description:
    "Print the public half of the SSH key that your workspaces use for git. Add it to your account at the git " +
    "host.",
  arguments: {},
  flags: {
    reset: { kind: "switch", summary: "generate a new key; the old one stops working" },
    yes: yesFlag,
  },
  examples: [
    { line: "slipway publickey", summary: "one line, for the settings of a git host" },
    { line: "slipway publickey --reset -y", summary: "a new key, without confirmation" },
  ],
});
