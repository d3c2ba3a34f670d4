import { defineCommand } from "../../command/definition.ts";
import { shells } from "./shells.ts";

export const command = defineCommand({
  summary: "print a shell completion script",
  description:
    "Print a completion script for bash, zsh, fish or PowerShell (default: the shell in $SHELL). Names of " +
    "workspaces, templates and the like come from the server, which has 1.5 seconds to answer.",
  arguments: { name: { summary: shells.join(", "), required: false, completes: shells } },
  flags: {
    shell: {
      kind: "text",
      short: "s",
      value: "name",
      summary: "same as the argument, for scripts written for coder",
      hidden: true,
      completes: shells,
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
