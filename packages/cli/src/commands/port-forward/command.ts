import { defineCommand } from "../../command/definition.ts";
import { agentArgument } from "../../resources/network/agent-arguments.ts";
import { disableAutostartFlag, disableDirectFlag } from "../../resources/network/network-flags.ts";

export const command = defineCommand({
  summary: "forward local ports to a workspace",
  description:
    "Forward local ports to a workspace until it is interrupted. A port is local:remote, such as 8080:80, or 8080 for " +
    "both; a range is 8080-8085:9000-9005; a local address goes in front, as in 0.0.0.0:8080:80 or [::1]:8080:80 " +
    "(default: 127.0.0.1 and [::1]). A stopped workspace is started.",
  aliases: ["tunnel"],
  arguments: { workspace: agentArgument },
  flags: {
    tcp: {
      kind: "list",
      short: "p",
      value: "local:remote",
      variable: "CODER_PORT_FORWARD_TCP",
      summary: "TCP port to forward",
    },
    udp: {
      kind: "list",
      value: "local:remote",
      variable: "CODER_PORT_FORWARD_UDP",
      summary: "UDP port to forward",
    },
    disableAutostart: disableAutostartFlag,
    disableDirectConnections: disableDirectFlag,
  },
  examples: [
    {
      line: "slipway port-forward demo --tcp 8080:80",
      summary: "port 80 of the workspace at 127.0.0.1:8080",
    },
    {
      line: "slipway port-forward demo --tcp 3000,5000-5005:6000-6005 --udp 5353:53",
      summary: "several, of both protocols",
    },
    {
      line: "slipway port-forward ada/demo.main --tcp 0.0.0.0:8080:80",
      summary: "open to other machines",
    },
  ],
});
