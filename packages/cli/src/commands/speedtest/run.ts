import type { SpeedtestInterval } from "@slipway/sdk/workspace";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-json.ts";
import { agentPorts } from "../../resources/network/agent-ports.ts";
import { readAgentReference } from "../../resources/network/agent-reference.ts";
import { pathText } from "../../resources/network/network-text.ts";
import { openMeasuredAgent } from "../../resources/network/reach-agent.ts";
import { readShortDuration } from "../../resources/network/short-duration.ts";
import { watchAgent } from "../../resources/network/watch-agent.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";
import { Progress } from "../../terminal/progress.ts";
import { renderTable } from "../../terminal/table.ts";
import type { command } from "./command.ts";
import { intervalRow, speedJson } from "./speed-text.ts";
import { waitForDirect } from "./wait-for-direct.ts";

/** The agent's port of speed tests (docs/protocol/tailnet.md §7.4), and the longest test that ours runs. */
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
  await using opened = await openMeasuredAgent(reference, { disableDirect }, needs);
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
  if (output === "json") {
    printJson(terminal.out, speedJson(overall, intervals));
    return exitCodes.ok;
  }
  const rows = [...intervals.map(intervalRow), ["total", ...intervalRow(overall).slice(1)]];
  const { path } = connection;
  const headings = ["INTERVAL", "TRANSFERRED", "THROUGHPUT"];
  for (const line of renderTable(headings, rows, terminal.out)) terminal.out.line(line);
  if (path !== undefined) terminal.err.line(pathText(path));
  return exitCodes.ok;
}

function readDuration({ time = "5s", direct, disableDirectConnections }: Options): number {
  if (direct && disableDirectConnections) {
    throw new UsageError("--direct and --disable-direct-connections exclude each other");
  }
  return readShortDuration("--time", time, { maxMinutes });
}
