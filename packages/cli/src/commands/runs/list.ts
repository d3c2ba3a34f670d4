import type { Run } from "@slipway/api/agents/run-routes";
import { Runs } from "@slipway/sdk/runs";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import {
  agentArgument,
  chooseAgent,
  readAgentReference,
} from "../../resources/network/agent-reference.ts";
import { runningWorkspace } from "../../resources/network/running-workspace.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

const columns = ["id", "status", "started", "output", "command"] as const;

export const command = defineCommand({
  summary: "list the runs of a workspace, newest first",
  description:
    "List the runs of a workspace, newest first: the commands that run, and those that ended within ten minutes.",
  arguments: { workspace: agentArgument },
  flags: { column: columnFlag([...columns], [...columns]), output: outputFlag },
  examples: [{ line: "slipway runs list demo", summary: "runs of your workspace demo" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const reference = readAgentReference(options.workspace);
  const needs = { client, terminal, clock, signal };
  const workspace = await runningWorkspace(reference.workspace, { autostart: false }, needs);
  const { id: agentId } = chooseAgent(workspace, reference.agent);
  const runs = await new Runs({ client, agentId, clock }).list({ signal });
  const view = { columns: runColumns(clock.now()), none: "no runs" };
  return printList(terminal, runs, options, view);
}

/** Columns of runs. `now` is in milliseconds since the epoch. */
function runColumns(now: number): Columns<Run, (typeof columns)[number]> {
  return {
    id: ({ id }) => id,
    status: statusCell,
    started: ({ started_at }) => relativeTime(Date.parse(started_at), now),
    output: ({ last_seq }) => `${last_seq} B`,
    command: ({ command: text }) => text,
  };
}

function statusCell({ status, exit_code: code, signal, timed_out: isLate }: Run): string {
  if (status === "running") return "running";
  if (isLate) return "timed out";
  return signal === null ? `exited ${code ?? ""}` : signal;
}
