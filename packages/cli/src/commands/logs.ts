import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceBuild } from "@slipway/api/builds/build";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { CommandError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { allAgents } from "../resources/builds/agents.ts";
import { chooseBuild } from "../resources/builds/choose-build.ts";
import { findWorkspace, workspaceArgument } from "../resources/workspaces/workspace-reference.ts";
import { followLogs } from "./logs/follow-logs.ts";
import { jsonOf, type LogLine, readSelection, textOf } from "./logs/log-line.ts";
import { readLogs } from "./logs/read-logs.ts";

export const command = defineCommand({
  summary: "show the logs of a build and its agents",
  description:
    "Show the logs of a build and its agents, ordered by time. With --follow, keep printing new lines, even " +
    "across restarts of the server. JSON output has one object per line.",
  arguments: { workspace: workspaceArgument },
  flags: {
    follow: { kind: "switch", short: "f", summary: "keep printing new lines" },
    buildNumber: {
      kind: "integer",
      short: "n",
      value: "number",
      summary: "build number; negative numbers count back from the newest (default: the newest)",
    },
    agent: { kind: "text", value: "name", summary: "only this agent's log" },
    tail: { kind: "integer", value: "lines", summary: "number of last lines to show" },
    since: {
      kind: "text",
      value: "time",
      summary:
        "only lines newer than this: a duration such as 1h, or a time such as 2026-01-31T09:00:00Z",
    },
    timestamps: { kind: "switch", short: "t", summary: "prefix each line with its timestamp" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway logs demo -f", summary: "follow the newest build and its agents" },
    { line: "slipway logs demo -n -1", summary: "the previous build" },
    { line: "slipway logs demo --since 1h --timestamps", summary: "the last hour" },
    { line: "slipway logs demo --tail 20 -f", summary: "the last 20 lines, then new ones" },
    { line: "slipway logs demo --agent main -o json", summary: "one agent, as JSON" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { terminal, settings, clock, signal } = needs;
  const selection = readSelection(options, clock.now());
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  const build = await chooseBuild(client, workspace, options.buildNumber, signal);
  const print = (line: LogLine): void => {
    const { out } = terminal;
    const texts = options.output === "json" ? [jsonOf(line)] : textOf(line, out.colors);
    const isTimed = options.timestamps && options.output === "text";
    const time = isTimed ? `${out.colors.dim(line.entry.created_at)} ` : "";
    for (const text of texts) out.line(`${time}${text}`);
  };
  const shown = { build, agentName: options.agent };
  // Checked before anything is printed, so that a wrong name prints only its error.
  if (build.job.completed_at !== undefined) checkAgentName(build, options.agent);
  const position = await readLogs(shown, selection, { client, signal, print });
  if (options.follow) await followLogs(shown, position, { client, terminal, clock, signal, print });
  return exitCodes.ok;
}

function checkAgentName(build: WorkspaceBuild, name: string | undefined): void {
  const names = allAgents(build).map((agent: WorkspaceAgent) => agent.name);
  if (name === undefined || names.includes(name)) return;
  const wanted = names.length === 0 ? "it has none" : `wanted one of ${names.join(", ")}`;
  throw new CommandError(`build ${build.build_number} has no agent ${name}: ${wanted}`, {
    exitCode: exitCodes.notFound,
  });
}
