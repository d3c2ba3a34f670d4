import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { agentArgument } from "../../resources/network/agent-arguments.ts";
import { disableDirectFlag } from "../../resources/network/network-flags.ts";

export const command = defineCommand({
  summary: "ping a workspace over the encrypted network",
  description:
    "Ping a workspace over the encrypted network, and show the path of each answer. At the end, show what keeps the " +
    "connection from being direct. Does not start a stopped workspace, and goes on with the new agent of a restarted one.",
  arguments: { workspace: agentArgument },
  flags: {
    num: {
      kind: "integer",
      short: "n",
      value: "number",
      summary: "number of pings (default: until interrupted; 10 with --output json)",
    },
    wait: { kind: "text", value: "duration", summary: "time between pings (default: 1s)" },
    timeout: {
      kind: "text",
      short: "t",
      value: "duration",
      summary: "time to wait for an answer (default: 5s)",
    },
    time: { kind: "switch", summary: "show the time of each answer" },
    utc: { kind: "switch", summary: "show it in UTC" },
    disableDirectConnections: disableDirectFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway ping demo", summary: "until it is interrupted" },
    { line: "slipway ping ada/demo.main -n 5 --wait 200ms", summary: "five pings, quickly" },
    { line: "slipway ping demo -n 3 -o json", summary: "as JSON" },
  ],
});
