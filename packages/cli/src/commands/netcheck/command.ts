import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { hiddenAgentFlags } from "../../resources/inside/agent-flags.ts";

export const command = defineCommand({
  summary: "check the network between this machine and the relays",
  description:
    "Check the network between this machine and the relays: latencies, the connection to the nearest relay, and whether " +
    "UDP makes direct connections possible. Inside a workspace it needs no login.",
  arguments: {},
  flags: { ...hiddenAgentFlags, output: outputFlag },
  examples: [
    { line: "slipway netcheck", summary: "relays and UDP, and what fails" },
    { line: "slipway netcheck -o json", summary: "as JSON" },
  ],
});
