import { abortable, type Clock, silentLogger } from "@slipway/runtime";
import type { PortForwardNeeds } from "@slipway/sdk/node";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { CommandError } from "../command/errors.ts";
import type { Needs } from "../command/needs.ts";
import { agentPorts, type AgentPorts } from "../resources/network/agent-ports.ts";
import { agentArgument, readAgentReference } from "../resources/network/agent-reference.ts";
import { disableAutostartFlag, disableDirectFlag } from "../resources/network/network-flags.ts";
import { openAgent, reachAgent, type ReachOptions } from "../resources/network/reach-agent.ts";
import { watchAgent } from "../resources/network/watch-agent.ts";
import { type Forward, localText, readForwards } from "./port-forward/forward-spec.ts";
import { openTcpForward } from "./port-forward/tcp-forward.ts";
import { UdpForward, type UdpForwardNeeds } from "./port-forward/udp-forward.ts";

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

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const forwards = readForwards(options);
  const reference = readAgentReference(options.workspace);
  const needs = { client: connect(settings), terminal, clock, signal };
  const { err } = terminal;
  const reached = Promise.withResolvers<AgentPorts>();
  let ports: AgentPorts | undefined;
  const listenNeeds: ListenNeeds = {
    // Early connections wait.
    dial: async (port, ended) => (await abortable(reached.promise, ended)).dial(port, ended),
    connect: (port) => {
      if (ports === undefined) throw new CommandError("the workspace is not reached yet");
      return ports.connectUdp(port);
    },
    report: calmReporter((text) => err.line(err.colors.yellow(text)), clock),
    clock,
  };
  // A port in use is reported before a workspace is started for it.
  await using listening = new AsyncDisposableStack();
  for (const forward of forwards) {
    listening.use(await listen(forward, listenNeeds));
    err.line(`Forwarding ${localText(forward)} to ${forward.protocol} port ${forward.remotePort}`);
  }
  await using opened = await openAgent(reference, reachOptions(options), needs);
  await reachAgent(opened, needs);
  ports = await agentPorts(opened.connection);
  reached.resolve(ports);
  err.line("Ready");
  const say = (): void =>
    err.line(err.colors.yellow("the workspace does not answer, trying again"));
  await using watching = watchAgent(opened, { say }, needs);
  try {
    return await abortable(Promise.race([opened.connection.failed, watching.failed]), signal);
  } finally {
    // The connections end before their carrier.
    await listening.disposeAsync();
  }
}

type ListenNeeds = PortForwardNeeds & UdpForwardNeeds;

function listen(forward: Forward, needs: ListenNeeds): Promise<AsyncDisposable> {
  switch (forward.protocol) {
    case "tcp":
      return openTcpForward(forward, needs);
    case "udp":
      return UdpForward.open(forward, needs);
  }
}

function reachOptions({
  disableAutostart,
  disableDirectConnections,
}: OptionsOf<typeof command>): ReachOptions {
  return {
    autostart: !disableAutostart,
    wait: "no",
    disableDirect: disableDirectConnections,
    isUsage: true,
    logger: silentLogger,
  };
}

/** The time during which the same text is reported once, in milliseconds. */
const repeatMs = 1_000;

/** Returns a reporter that repeats a text at most once a second, regardless of the number of failing connections. */
export function calmReporter(
  say: (text: string) => void,
  clock: Pick<Clock, "monotonic">,
): (text: string) => void {
  let last = { text: "", atMs: 0 };
  return (text) => {
    const atMs = clock.monotonic();
    if (text === last.text && atMs - last.atMs < repeatMs) return;
    last = { text, atMs };
    say(text);
  };
}
