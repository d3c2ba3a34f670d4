import type { AgentLog } from "@slipway/api/agents/log-routes";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { sql } from "kysely";

import type { Database, Queryable } from "../../../platform/db/database.ts";
import type { LogRange } from "../../../platform/fields/log-range.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { isLiveAgent } from "../live-queries.ts";
import type { PackedLines } from "./log-lines.ts";

/**
 * The maximum number of bytes kept of an agent's log (docs/protocol/rpc.md §7.7): one half for its first lines, the
 * other for its newest, from which a step at a time is deleted.
 */
export const maxLogBytes = 1_048_576;
const maxHalfBytes = maxLogBytes / 2;
const stepBytes = 32_768;
/** The sources whose newest batch is remembered; templates have at most 100 scripts per agent. */
const maxLogSources = 256;
/** The maximum number of lines in one read. */
export const maxLogsPerRead = 1000;

/** The needs of functions that store lines. */
export interface LogNeeds extends Pick<Platform, "db" | "pubsub" | "clock"> {
  /** Counts the lines that were stored. */
  readonly storedLogLines: { inc(count: number): void };
}

/**
 * Stores lines of one source of the calling agent and notifies followers; resolves to false if the agent is not live.
 */
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

/** A batch of lines of one source, in order. */
interface LogBatch {
  readonly agentId: string;
  readonly sourceId: string;
  readonly lines: PackedLines;
}

/** The outcome of a batch: the number of new lines, and whether lines of the agent were dropped for the first time. */
export interface AppendResult {
  readonly lines: number;
  readonly isFirstLoss: boolean;
}

/** The limits of what is kept, in bytes; `step` is larger than any line. */
export interface LogLimits {
  readonly half: number;
  readonly step: number;
}

/**
 * Stores a batch, with one statement. Ids are consecutive in the order in which batches commit, because the row of the
 * agent's position is locked: a reader that has seen an id has seen all before it. Lines beyond the limit replace the
 * oldest ones behind the first half; `readLogs` marks where lines are missing.
 *
 * An agent that lost the answer sends its batch again, perhaps with more lines appended. The batch is recognized by the
 * agent's times of its first and last line, and only the appended lines are stored.
 *
 * Returns undefined, with nothing stored, when the agent is not live.
 */
export async function appendLogs(
  db: Database,
  batch: LogBatch,
  limits: LogLimits = { half: maxHalfBytes, step: stepBytes },
): Promise<AppendResult | undefined> {
  const { agentId, sourceId, lines } = batch;
  const { rows } = await sql<{ stored: number; is_first_loss: boolean }>`
    select stored, is_first_loss from append_agent_logs(
      ${agentId}, ${sourceId}, ${lines.times}, ${lines.levels}, ${lines.outputs},
      ${limits.half}, ${limits.step}, ${maxLogSources})
      where ${isLiveAgent(agentId)}`.execute(db);
  const [row] = rows;
  return row && { lines: row.stored, isFirstLoss: row.is_first_loss };
}

interface LogRow extends AgentLog {
  /** Greater than 0 for a line in place of that many missing ones. */
  readonly missing: number;
}

/**
 * Reads a range of lines, in order, at most `maxLogsPerRead`. Where lines of the range are not kept, one line gives
 * their number; its id is that of the last of them, so that a reader continues from it as from any other.
 */
export async function readLogs(
  db: Queryable,
  agentId: string,
  { after, before }: LogRange,
): Promise<AgentLog[]> {
  // One statement, so that lines and gap come from the same snapshot.
  const { rows } = await sql<LogRow>`
    with gap as (
      select greatest(head_last_id, ${after}) as after,
          least(tail_first_id, ${before ?? null}::bigint) - 1 as last, tail_first_id
        from workspace_agent_log_positions where workspace_agent_id = ${agentId} and head_last_id is not null
    )
    (select id, created_at, output, level, log_source_id as source_id, 0 as missing
      from workspace_agent_logs
      where workspace_agent_id = ${agentId} and id > ${after}
        and id < ${before ?? Number.MAX_SAFE_INTEGER}
      order by id limit ${maxLogsPerRead})
    union all
    select gap.last, coalesce(next.created_at, now()), '', 'warn',
        coalesce(next.log_source_id, ${nilUuid}), gap.last - gap.after
      from gap left join workspace_agent_logs next
        on next.workspace_agent_id = ${agentId} and next.id = gap.tail_first_id
      where gap.last > gap.after
    order by id limit ${maxLogsPerRead}`.execute(db);
  return rows.map(({ id, created_at, output, level, source_id, missing }) => ({
    id,
    created_at,
    output: missing === 0 ? output : gapText(missing),
    level,
    source_id,
  }));
}

/** Returns the text in place of missing lines. */
export function gapText(lines: number): string {
  const count = lines.toLocaleString("en");
  return `… ${count} ${lines === 1 ? "line is" : "lines are"} not kept …`;
}
