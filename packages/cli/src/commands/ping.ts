import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { readShortDuration } from "../command/duration.ts";
import { UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printJson } from "../command/print-result.ts";
import { agentPorts } from "../resources/network/agent-ports.ts";
import { agentArgument, readAgentReference } from "../resources/network/agent-reference.ts";
import { disableDirectFlag } from "../resources/network/network-flags.ts";
import { latencyJson, latencyText, pathJson, pathText } from "../resources/network/network-text.ts";
import type { OpenedAgent } from "../resources/network/reach-agent.ts";
import { renderPairs } from "../terminal/table.ts";
import { type AgentUdp, readAgentUdp } from "./ping/agent-netcheck.ts";
import { diagnose, type Diagnosis, diagnosisPairs } from "./ping/diagnosis.ts";
import { FollowedAgent } from "./ping/followed-agent.ts";
import {
  type PingPlan,
  type PingResult,
  pingSeries,
  type PingSummary,
  PingTotals,
  summaryText,
} from "./ping/ping-series.ts";

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

/** The number of pings if they are not printed as they arrive. */
const defaultCount = 10;

type Options = OptionsOf<typeof command>;

export async function run(
  options: Options,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const plan = readPlan(options);
  const { disableDirectConnections: disableDirect, output } = options;
  const needs = { client: connect(settings), terminal, clock, signal };
  const reference = readAgentReference(options.workspace);
  await using agent = await FollowedAgent.open({ reference, disableDirect }, needs);
  const { name } = agent;
  const totals = new PingTotals();
  const results: PingResult[] = [];
  const onResult = (result: PingResult): void => {
    totals.add(result);
    if (output === "json") results.push(result);
    else terminal.out.line(`${timePrefix(options, clock)}${resultText(agent.name, result)}`);
  };
  if (plan.count === undefined) {
    terminal.err.line(terminal.err.colors.dim(`pinging ${name} until interrupted by Ctrl-C`));
  }
  const checking = agentUdpOf(agent.opened, { clock, signal });
  await pingSeries(agent, plan, { clock, signal, onResult });
  const { summary } = totals;
  const diagnosis = diagnosisOf(agent.opened, summary, disableDirect, await checking);
  if (output === "json") printJson(terminal.out, reportJson(name, results, summary, diagnosis));
  else {
    const { out } = terminal;
    out.line("");
    out.line(summaryText(summary));
    for (const line of renderPairs(diagnosisPairs(diagnosis), out)) out.line(line);
  }
  return summary.answered > 0 ? exitCodes.ok : exitCodes.failure;
}

/** Returns the time of an answer, followed by a space, if requested. */
function timePrefix({ time, utc }: Options, clock: Needs["clock"]): string {
  if (!time && !utc) return "";
  const format = new Intl.DateTimeFormat("en-GB", {
    timeStyle: "medium",
    ...(utc ? { timeZone: "UTC" } : {}),
  });
  return `${format.format(clock.now())} `;
}

function readPlan({ num, wait = "1s", timeout = "5s", output }: Options): PingPlan {
  if (num !== undefined && num < 1) {
    throw new UsageError(`--num "${num}" is not a number of pings, wanted 1 or more`);
  }
  return {
    count: num ?? (output === "json" ? defaultCount : undefined),
    waitMs: readShortDuration("--wait", wait),
    timeoutMs: readShortDuration("--timeout", timeout),
  };
}

/** Queries the agent while pings run; an interruption ends the query, and the summary is shown without it. */
async function agentUdpOf(
  { connection }: OpenedAgent,
  needs: Pick<Needs, "clock" | "signal">,
): Promise<AgentUdp | undefined> {
  const ports = await agentPorts(connection);
  return readAgentUdp(ports, needs).catch(() => undefined);
}

function diagnosisOf(
  { connection, agent }: OpenedAgent,
  { answered }: PingSummary,
  isDirectDisabled: boolean,
  agentUdp: AgentUdp | undefined,
): Diagnosis {
  const path = answered === 0 ? undefined : connection.path;
  return diagnose({ path, status: connection.status, agent, agentUdp, isDirectDisabled });
}

function resultText(name: string, result: PingResult): string {
  if (result.kind === "failure") return `${name}: ${result.reason}`;
  const { latencyMs, path } = result.pong;
  return `pong from ${name} in ${latencyText(latencyMs)}, ${pathText(path)}`;
}

function reportJson(
  name: string,
  results: readonly PingResult[],
  summary: PingSummary,
  { path, home, agentHome, udp, agentUdp, obstacles }: Diagnosis,
): unknown {
  return {
    agent: name,
    pings: results.map((result) =>
      result.kind === "failure"
        ? { error: result.reason }
        : { latency_ms: latencyJson(result.pong.latencyMs), path: pathJson(result.pong.path) },
    ),
    summary: {
      sent: summary.sent,
      answered: summary.answered,
      direct: summary.direct,
      min_ms: latencyJson(summary.minMs),
      average_ms: latencyJson(summary.averageMs),
      max_ms: latencyJson(summary.maxMs),
    },
    diagnosis: {
      path: path === undefined ? null : pathJson(path),
      home_region: home?.name ?? null,
      agent_home_region: agentHome?.name ?? null,
      udp,
      agent_udp: agentUdp ?? null,
      obstacles,
    },
  };
}
