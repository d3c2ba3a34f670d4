import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { getBuildLogs } from "@slipway/api/builds/routes";
import type { ApiClient } from "@slipway/sdk/http";

import { allAgents, logSource } from "../../resources/builds/agents.ts";
import { byTime, type LineSelection, type LogLine, selectLines } from "./log-line.ts";

/** The logs to print. */
export interface ShownLogs {
  readonly build: WorkspaceBuild;
  /** Only this agent's log; undefined: the build's and all agents'. */
  readonly agentName: string | undefined;
}

/** A position in the logs: the id of the last entry by agent id, and of the build's log. */
export interface LogPosition {
  readonly build: number;
  readonly agents: ReadonlyMap<string, number>;
}

export interface ReadNeeds {
  readonly client: ApiClient;
  readonly signal: AbortSignal;
  readonly print: (line: LogLine) => void;
}

/** Prints the selected lines that the logs contain now, by time; resolves with the position to continue from. */
export async function readLogs(
  shown: ShownLogs,
  selection: LineSelection,
  { client, signal, print }: ReadNeeds,
): Promise<LogPosition> {
  const [build, ...agents] = await Promise.all([
    readBuildLog(shown, client, signal),
    ...shownAgents(shown).map((agent) => readAgentLog(agent, client, signal)),
  ]);
  const merged = byTime([...build, ...agents.flatMap((agent) => agent.lines)]);
  for (const line of selectLines(merged, selection)) print(line);
  return {
    build: lastId(build),
    agents: new Map(agents.map(({ id, lines }) => [id, lastId(lines)])),
  };
}

/** Returns the selected agents among those that the build has created so far. */
export function shownAgents({ build, agentName }: ShownLogs): WorkspaceAgent[] {
  return allAgents(build).filter(({ name }) => agentName === undefined || name === agentName);
}

async function readBuildLog(
  { build, agentName }: ShownLogs,
  client: ApiClient,
  signal: AbortSignal,
): Promise<LogLine[]> {
  if (agentName !== undefined) return [];
  const entries = await client.call(getBuildLogs, { params: { build: build.id }, signal });
  return entries.map((entry) => ({ kind: "build", entry }));
}

async function readAgentLog(
  agent: WorkspaceAgent,
  client: ApiClient,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly lines: LogLine[] }> {
  const entries = await client.call(getAgentLogs, { params: { agent: agent.id }, signal });
  const lines = entries.map((entry): LogLine => ({
    kind: "agent",
    agent: agent.name,
    source: logSource(agent, entry),
    entry,
  }));
  return { id: agent.id, lines };
}

function lastId(lines: readonly LogLine[]): number {
  return lines.reduce((last, { entry }) => Math.max(last, entry.id), 0);
}
