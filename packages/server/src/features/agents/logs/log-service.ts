import type { Database } from "../../../platform/db/database.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { withoutNul } from "../../../platform/http/storable-text.ts";
import { topics, type PubSub } from "../../../platform/pubsub/pubsub.ts";
import type { PackedLines } from "./log-lines.ts";
import { insertLogSource, type NewLogSource } from "./log-source-queries.ts";
import { appendLogs } from "./log-store.ts";

interface LogNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  /** Counts the lines that were stored. */
  readonly storedLogLines: { inc(count: number): void };
}

/** Stores lines of one source of the calling agent and notifies followers; false when the agent is not live. */
export async function storeAgentLogs(
  { db, pubsub, storedLogLines }: LogNeeds,
  { agentId, workspaceId }: AgentCaller,
  sourceId: string,
  lines: PackedLines,
): Promise<boolean> {
  const result = await appendLogs(db, { agentId, sourceId, lines });
  if (result === undefined) return false;
  storedLogLines.inc(result.lines);
  if (result.lines > 0) pubsub.publish(topics.agentLogs(agentId));
  // The agent's `logs_overflowed` changed.
  if (result.isFirstLoss) pubsub.publish(topics.workspace(workspaceId));
  return true;
}

/** The source of lines that name none (docs/protocol/rpc.md §7.7). */
const externalSource = {
  id: "3b579bf4-1ed8-4b99-87a8-e9a1e3410410",
  displayName: "External",
  icon: "/emojis/1f310.png",
};

/** The most sources that an agent's programs may add; lines of sources beyond are kept all the same. */
const maxSources = 128;
/** The number of characters kept of a source's name (docs/protocol/rest.md §2.4). */
const maxNameLength = 127;

/** Stores a log source of an agent; an existing one stays as it is. */
export async function createLogSource(
  db: Database,
  agentId: string,
  { id, displayName, icon }: NewLogSource,
): Promise<void> {
  const name = withoutNul(displayName).slice(0, maxNameLength).toWellFormed();
  const source = { id, displayName: name, icon: withoutNul(icon) };
  await insertLogSource(db, agentId, source, maxSources);
}

/** Returns the source of lines that name none, created on first use. */
export async function ensureExternalSource(db: Database, agentId: string): Promise<string> {
  await insertLogSource(db, agentId, externalSource, maxSources + 1);
  return externalSource.id;
}
