import { defineCommand } from "../../../command/definition.ts";
import { outputFlag, yesFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "write an archive with everything that a supporter needs, without secrets",
  description:
    "Write a tar.gz archive with everything that a supporter needs: versions, settings and health of the server, your " +
    "user, the network of this machine, and of a workspace its builds, logs, connections and agents. It has what you " +
    "may read yourself, and notes what you may not. Tokens, values of variables and parameters, scripts and commands " +
    "are left out. Logs have what programs printed: what looks like a secret is removed from them, but read them " +
    "before you pass them on.",
  arguments: {
    workspace: {
      summary: "name, owner/name or id of a workspace (default: only the server and this machine)",
      required: false,
      completion: "workspace",
    },
    agent: { summary: "only this agent of the workspace (default: all agents)", required: false },
  },
  flags: {
    outputFile: {
      kind: "text",
      short: "O",
      value: "file",
      completion: "files",
      summary: "file to write (default: slipway-support-<time>.tar.gz)",
    },
    yes: yesFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway support bundle demo", summary: "about your workspace demo" },
    {
      line: "slipway support bundle demo main -y",
      summary: "only agent main, without confirmation",
    },
    {
      line: "slipway support bundle --output-file support.tar.gz",
      summary: "about the server alone",
    },
  ],
});
