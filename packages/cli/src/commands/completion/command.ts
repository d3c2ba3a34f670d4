import { defineCommand } from "../../command/definition.ts";
import { shells } from "./shells.ts";

export const command = defineCommand({
  name: "completion",
  summary: "print what makes a shell complete commands, flags and names",
  description:
    "Prints a script for bash, zsh, fish or PowerShell; for the shell of $SHELL unless one is named. Names of " +
    "workspaces, templates and the like are asked of the server, which has a second and a half to answer.",
  arguments: { name: { summary: shells.join(", "), required: false, completes: shells } },
  flags: {
    shell: {
      kind: "text",
      short: "s",
      value: "name",
      summary: "the same, as coder has it",
      hidden: true,
      completes: shells,
    },
    print: { kind: "switch", short: "p", summary: "what it does anyway", hidden: true },
  },
  examples: [
    { line: "slipway completion bash", summary: "to look at it" },
    { line: "source <(slipway completion bash)", summary: "in ~/.bashrc; for zsh in ~/.zshrc" },
    { line: "slipway completion fish | source", summary: "in ~/.config/fish/config.fish" },
    {
      line: "slipway completion powershell | Out-String | Invoke-Expression",
      summary: "in $PROFILE",
    },
  ],
});
