import type { AgentLog, LogLevel } from "@slipway/api";
import { sql } from "kysely";

import type { Database, Queryable } from "../db/database.ts";
import type { LogRange } from "../http/log-range.ts";

/** Most bytes of output that an agent's log may hold, as the agent sent them (`rpc.md` section 7.7). */
export const maxLogBytes = 1_048_576;
/** Most lines, as empty ones have no bytes. */
const maxLogLines = 262_144;
/** Sources whose newest batch is remembered; templates have at most 100 scripts an agent. */
const maxLogSources = 256;
/** Characters of a line that are kept. */
const maxLineLength = 1024;
/** Most lines in one read. */
export const maxLogsPerRead = 1000;

/** A batch of lines of one source, in order. */
export interface LogBatch {
  readonly agentId: string;
  readonly sourceId: string;
  readonly lines: readonly NewLogLine[];
}

/** One line as the agent sent it. `createdNs`: the agent's time in nanoseconds, 0 when it sent none. */
export interface NewLogLine {
  readonly createdNs: bigint;
  readonly level: LogLevel;
  readonly output: string;
}

/** What became of a batch: `overflowed` when it would pass the limit, or an earlier one did. */
export type AppendResult =
  | { readonly type: "stored"; readonly lines: number }
  | { readonly type: "overflowed"; readonly isFirst: boolean };

/**
 * Stores a batch, with one statement. Ids go on without a gap in the order in which batches commit, because the row
 * of the agent's position is locked: a reader that has seen an id has seen all before it.
 *
 * An agent that lost the answer sends its batch again, perhaps with more lines behind. It is known by the agent's
 * times of its first and last line, and only the lines behind it are stored.
 */
export async function appendLogs(db: Database, batch: LogBatch): Promise<AppendResult> {
  const outputs = batch.lines.map((line) => sanitizeOutput(line.output));
  const { rows } = await sql<{ stored: number; is_overflowed: boolean; was_overflowed: boolean }>`
    select stored, is_overflowed, was_overflowed from append_agent_logs(
      ${batch.agentId}, ${batch.sourceId},
      ${batch.lines.map((line) => line.createdNs.toString())},
      ${batch.lines.map((line) => line.level)},
      ${outputs.map((output) => output.slice(0, maxLineLength).toWellFormed())},
      ${outputs.map((output) => Buffer.byteLength(output))},
      ${maxLogBytes}, ${maxLogLines}, ${maxLogSources})`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("append_agent_logs returned no row");
  if (row.is_overflowed) return { type: "overflowed", isFirst: !row.was_overflowed };
  return { type: "stored", lines: row.stored };
}

/** NUL, which PostgreSQL does not keep, and what was no text become a mark. */
function sanitizeOutput(output: string): string {
  return output.replaceAll(/[\0\uFFFD]/g, "❌");
}

/** Lines of a range, in order, at most `maxLogsPerRead`. */
export async function readLogs(
  db: Queryable,
  agentId: string,
  { after, before }: LogRange,
): Promise<AgentLog[]> {
  const rows = await db
    .selectFrom("workspace_agent_logs")
    .where("workspace_agent_id", "=", agentId)
    .where("id", ">", after)
    .$if(before !== undefined, (logs) => logs.where("id", "<", before ?? 0))
    .orderBy("id")
    .limit(maxLogsPerRead)
    .select(["id", "created_at", "output", "level", "log_source_id as source_id"])
    .execute();
  return rows;
}
