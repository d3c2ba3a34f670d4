import { abortable, silentLogger } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import type { Needs } from "../../command/needs.ts";
import { agentPorts, type AgentPorts } from "../../resources/network/agent-ports.ts";
import { readAgentReference } from "../../resources/network/agent-reference.ts";
import { openAgent, reachAgent, type ReachOptions } from "../../resources/network/reach-agent.ts";
import { watchAgent } from "../../resources/network/watch-agent.ts";
import type { command } from "./command.ts";
import { type Forward, localText, readForwards } from "./forward-spec.ts";
import { calmReporter } from "./reports.ts";
import { TcpForward, type TcpForwardNeeds } from "./tcp-forward.ts";
import { UdpForward, type UdpForwardNeeds } from "./udp-forward.ts";

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
    // Connections that come early wait.
    dial: async (port, ended) => (await abortable(reached.promise, ended)).dial(port, ended),
    connect: (port) => {
      if (ports === undefined) throw new CommandError("the workspace is not reached yet");
      return ports.connectUdp(port);
    },
    report: calmReporter((text) => err.line(err.colors.yellow(text)), clock),
    clock,
  };
  // A port that is in use is reported before a workspace is started for it.
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
    // The connections end before what carries them.
    await listening.disposeAsync();
  }
}

type ListenNeeds = TcpForwardNeeds & UdpForwardNeeds;

function listen(forward: Forward, needs: ListenNeeds): Promise<AsyncDisposable> {
  switch (forward.protocol) {
    case "tcp":
      return TcpForward.open(forward, needs);
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
