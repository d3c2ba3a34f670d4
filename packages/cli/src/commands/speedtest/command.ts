import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { agentArgument } from "../../resources/network/agent-arguments.ts";
import { disableDirectFlag } from "../../resources/network/network-flags.ts";

export const command = defineCommand({
  summary: "measure the speed of the connection to a workspace",
  description:
    "Measure the speed of the connection to a workspace over the encrypted network. Does not start a stopped workspace.",
  arguments: { workspace: agentArgument },
  flags: {
    direction: {
      kind: "choice",
      choices: ["down", "up"],
      summary: "down: from the workspace to this machine; up: the other way",
    },
    time: {
      kind: "text",
      short: "t",
      value: "duration",
      summary: "length of the test (default: 5s)",
    },
    direct: { kind: "switch", short: "d", summary: "wait for a direct connection first" },
    disableDirectConnections: disableDirectFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway speedtest demo", summary: "five seconds of download" },
    {
      line: "slipway speedtest demo --direction up --time 10s --direct",
      summary: "upload, directly",
    },
    { line: "slipway speedtest demo -o json", summary: "as JSON" },
  ],
});
