import { defineCommand } from "../../command/definition.ts";
import { yesFlag } from "../../command/flags.ts";

export const command = defineCommand({
  name: "publickey",
  summary: "print the public key with which your workspaces use git",
  description:
    "Prints the public half of the SSH key that your workspaces use for git. Add it to your account at the git host.",
  arguments: {},
  flags: {
    reset: { kind: "switch", summary: "make a new key; the old one opens nothing any more" },
    yes: yesFlag,
  },
  examples: [
    { line: "slipway publickey", summary: "one line, for the settings of a git host" },
    { line: "slipway publickey --reset -y", summary: "a new one, in scripts" },
  ],
});
