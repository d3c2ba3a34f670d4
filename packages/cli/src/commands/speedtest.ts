import { type Clock, withDeadline } from "@slipway/runtime";
import type { PacketCapture, SpeedtestInterval, WorkspaceConnection } from "@slipway/sdk/workspace";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { readShortDuration } from "../command/duration.ts";
import { CommandError, UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { columnFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printJson } from "../command/print-result.ts";
import { agentPorts } from "../resources/network/agent-ports.ts";
import { agentArgument, readAgentReference } from "../resources/network/agent-reference.ts";
import { disableDirectFlag } from "../resources/network/network-flags.ts";
import { pathText } from "../resources/network/network-text.ts";
import { openMeasuredAgent } from "../resources/network/reach-agent.ts";
import { watchAgent } from "../resources/network/watch-agent.ts";
import { fullName } from "../resources/workspaces/workspace-reference.ts";
import { Progress } from "../terminal/progress.ts";
import { type Columns, renderColumns } from "../terminal/table.ts";

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
    pcapFile: {
      kind: "text",
      value: "file",
      completion: "files",
      summary: "file for the headers of all packets, for tcpdump and Wireshark",
    },
    direct: { kind: "switch", short: "d", summary: "wait for a direct connection first" },
    disableDirectConnections: disableDirectFlag,
    column: columnFlag(["interval", "transferred", "throughput"]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway speedtest demo", summary: "five seconds of download" },
    {
      line: "slipway speedtest demo --direction up --time 10s --direct",
      summary: "upload, directly",
    },
    { line: "slipway speedtest demo -o json", summary: "as JSON" },
    {
      line: "slipway speedtest demo --pcap-file test.pcap",
      summary: "with a capture of the encrypted network's packets in the clear",
    },
  ],
});

/** The agent's port for speed tests (docs/protocol/tailnet.md §7.4), and the longest test that our agent runs. */
const speedtestPort = 3;
const maxMinutes = 10;

type Options = OptionsOf<typeof command>;

export async function run(
  options: Options,
  allNeeds: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { terminal, settings, clock } = allNeeds;
  const durationMs = readDuration(options);
  const { disableDirectConnections: disableDirect, output } = options;
  const needs = { client: connect(settings), terminal, clock, signal: allNeeds.signal };
  const reference = readAgentReference(options.workspace);
  using capture = await openCapture(options.pcapFile, clock);
  const onPackets = (packets: readonly Uint8Array[]): void => capture?.add(packets);
  const reach = { disableDirect, onPackets: capture === undefined ? undefined : onPackets };
  await using opened = await openMeasuredAgent(reference, reach, needs);
  const { connection } = opened;
  using progress = new Progress(terminal.err, clock);
  const say = (): void =>
    progress.line(terminal.err.colors.yellow("the workspace does not answer, trying again"));
  await using watching = watchAgent(opened, { say }, needs);
  const signal = AbortSignal.any([needs.signal, watching.signal]);
  if (options.direct) {
    const name = `${fullName(opened.workspace)}.${opened.agent.name}`;
    progress.waitFor(
      `waiting for a direct connection; see what prevents it with: slipway ping ${name} -n 1`,
    );
    await waitForDirect(connection, name, { clock, signal });
  }
  const { runSpeedtest } = await import("@slipway/sdk/workspace");
  const stream = await (await agentPorts(connection)).dial(speedtestPort, signal);
  progress.waitFor(`testing the ${options.direction === "down" ? "download" : "upload"}`);
  const intervals: SpeedtestInterval[] = [];
  const direction = options.direction === "down" ? "download" : "upload";
  const onInterval = (interval: SpeedtestInterval): void => void intervals.push(interval);
  const request = { direction, durationMs } as const;
  const overall = await runSpeedtest(stream, request, { clock, signal, onInterval });
  progress.waitFor(undefined);
  closeCapture(capture, options.pcapFile);
  if (output === "json") {
    printJson(terminal.out, speedJson(overall, intervals));
    return exitCodes.ok;
  }
  const rows = [...intervals.map(intervalRow), { ...intervalRow(overall), interval: "total" }];
  const { path } = connection;
  const lines = renderColumns(columns, options.column, rows, terminal.out);
  for (const line of lines) terminal.out.line(line);
  if (path !== undefined) terminal.err.line(pathText(path));
  return exitCodes.ok;
}

async function openCapture(
  path: string | undefined,
  clock: Clock,
): Promise<PacketCapture | undefined> {
  if (path === undefined) return undefined;
  const { PacketCapture } = await import("@slipway/sdk/workspace");
  return PacketCapture.open(path, clock);
}

function closeCapture(capture: PacketCapture | undefined, path = ""): void {
  try {
    capture?.close();
  } catch (error) {
    throw new CommandError(`cannot write the packets to ${path}`, { cause: error });
  }
}

function readDuration({ time = "5s", direct, disableDirectConnections }: Options): number {
  if (direct && disableDirectConnections) {
    throw new UsageError("--direct and --disable-direct-connections exclude each other");
  }
  return readShortDuration("--time", time, { maxMinutes });
}

/** The interval of pings while waiting for a direct path. */
const pingMs = 1_000;
/** The time for a direct path: both sides look for one every few seconds, and if none is found by then, none exists. */
const maxWaitMs = 60_000;

/** Pings an agent until the answer comes directly. Throws `CommandError` if none does in a minute. */
export async function waitForDirect(
  connection: Pick<WorkspaceConnection, "ping">,
  name: string,
  { clock, signal }: { readonly clock: Pick<Clock, "sleep">; readonly signal: AbortSignal },
): Promise<void> {
  await withDeadline(maxWaitMs, clock, async (limit) => {
    const either = AbortSignal.any([signal, limit]);
    try {
      while ((await connection.ping(either)).path.kind !== "direct") {
        await clock.sleep(pingMs, either);
      }
    } catch (error) {
      if (!limit.aborted || signal.aborted) throw error;
      throw new CommandError(`--direct: no direct connection within ${maxWaitMs / 1000} s`, {
        hint: `see what prevents it with: slipway ping ${name} -n 1; or test the relayed one without --direct`,
      });
    }
  });
}

const bytesPerMegabyte = 1_000_000;

interface IntervalRow {
  readonly interval: string;
  readonly transferred: string;
  readonly throughput: string;
}

const columns: Columns<IntervalRow, keyof IntervalRow> = {
  interval: ({ interval }) => interval,
  transferred: ({ transferred }) => transferred,
  throughput: ({ throughput }) => throughput,
};

/** Renders a part of a test: its times, the data and the speed. */
export function intervalRow(interval: SpeedtestInterval): IntervalRow {
  const { startMs, endMs, bytes } = interval;
  const seconds = [startMs, endMs].map((ms) => (ms / 1_000).toFixed(2)).join(" - ");
  const megabytes = bytes / bytesPerMegabyte;
  return {
    interval: `${seconds} s`,
    transferred: `${megabytes.toFixed(1)} MB`,
    throughput: `${megabits(interval).toFixed(1)} Mbit/s`,
  };
}

/** Returns a test as JSON, in the form of the stock command. */
export function speedJson(
  overall: SpeedtestInterval,
  intervals: readonly SpeedtestInterval[],
): unknown {
  return { overall: intervalJson(overall), intervals: intervals.map(intervalJson) };
}

function intervalJson(interval: SpeedtestInterval): Readonly<Record<string, number>> {
  return {
    start_time_seconds: interval.startMs / 1_000,
    end_time_seconds: interval.endMs / 1_000,
    throughput_mbits: megabits(interval),
  };
}

/** The speed in megabits a second. */
function megabits({ startMs, endMs, bytes }: SpeedtestInterval): number {
  const ms = endMs - startMs;
  return ms <= 0 ? 0 : (bytes * 8) / 1_000 / ms;
}
