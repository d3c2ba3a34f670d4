import type { Run, RunChunk } from "@slipway/api/agents/run-routes";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";

/** A run with the end of its output, in base64. */
export interface KeptRun {
  readonly run: Run;
  readonly chunks: readonly RunChunk[];
}

interface NewKeptRun extends KeptRun {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly bytes: number;
}

/** The days for which a run is kept. */
const keptDays = 7;
const isKept = sql<boolean>`created_at > now() - make_interval(days => ${sql.lit(keptDays)})`;

/** Stores a run, once however often it comes. */
export async function upsertKeptRun(db: Queryable, kept: NewKeptRun): Promise<void> {
  const columns = {
    agent_id: kept.agentId,
    run: JSON.stringify(kept.run),
    chunks: JSON.stringify(kept.chunks),
    bytes: kept.bytes,
  };
  await db
    .insertInto("kept_runs")
    .values({ workspace_id: kept.workspaceId, run_id: kept.run.id, ...columns })
    .onConflict((conflict) => conflict.columns(["workspace_id", "run_id"]).doUpdateSet(columns))
    .execute();
}

/** Deletes the oldest runs of a workspace beyond these limits, and those whose time is up. */
export async function deleteSurplusRuns(
  db: Queryable,
  workspaceId: string,
  { maxBytes, maxRuns }: { readonly maxBytes: number; readonly maxRuns: number },
): Promise<void> {
  await sql`delete from kept_runs where workspace_id = ${workspaceId} and run_id in (
    select run_id from (
      select run_id, created_at,
          sum(bytes) over newest_first as bytes, count(*) over newest_first as runs
        from kept_runs where workspace_id = ${workspaceId}
        window newest_first as (order by created_at desc, run_id rows unbounded preceding)) counted
      where bytes > ${maxBytes} or runs > ${maxRuns} or not ${isKept})`.execute(db);
}

export async function selectKeptRuns(
  db: Queryable,
  workspaceId: string,
): Promise<readonly Pick<KeptRun, "run">[]> {
  const rows = await db
    .selectFrom("kept_runs")
    .where("workspace_id", "=", workspaceId)
    .where(isKept)
    .orderBy("created_at", "desc")
    .orderBy("run_id")
    .select("run")
    .execute();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- stored in this form
  return rows as unknown as readonly Pick<KeptRun, "run">[];
}

export async function selectKeptRun(
  db: Queryable,
  workspaceId: string,
  runId: string,
): Promise<KeptRun | undefined> {
  const row = await db
    .selectFrom("kept_runs")
    .where("workspace_id", "=", workspaceId)
    .where("run_id", "=", runId)
    .where(isKept)
    .select(["run", "chunks"])
    .executeTakeFirst();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- stored in this form
  return row as unknown as KeptRun | undefined;
}
