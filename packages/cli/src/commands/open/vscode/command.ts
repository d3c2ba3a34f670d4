import { defineCommand } from "../../../command/definition.ts";
import { agentArgument } from "../../../resources/network/agent-arguments.ts";
import { disableAutostartFlag } from "../../../resources/network/network-flags.ts";

export const command = defineCommand({
  summary: "open a workspace in VS Code",
  description:
    "Open a directory of a workspace in VS Code or an editor made from it, with the extension Coder Remote. The editor " +
    "gets a token of its own. A stopped workspace is started. Where there is no editor, the URL is printed, without a " +
    "token unless you ask for one.",
  arguments: {
    workspace: agentArgument,
    directory: {
      summary: "directory in the workspace (default: that of the agent)",
      required: false,
    },
  },
  flags: {
    editor: {
      kind: "choice",
      choices: ["vscode", "vscode-insiders", "vscodium", "cursor", "windsurf"],
      summary: "editor to open",
    },
    generateToken: {
      kind: "switch",
      variable: "CODER_OPEN_VSCODE_GENERATE_TOKEN",
      summary: "print the URL with a new token",
    },
    noOpen: { kind: "switch", summary: "only print the URL" },
    disableAutostart: disableAutostartFlag,
  },
  examples: [
    { line: "slipway open vscode demo", summary: "the directory of its agent" },
    { line: "slipway open vscode ada/demo.main src/site", summary: "a directory below it" },
    {
      line: "slipway open vscode demo --no-open --generate-token",
      summary: "a URL for another machine; it contains a token",
    },
  ],
});
