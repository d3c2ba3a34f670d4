import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../db/database.ts";

/** "clea" in ASCII: the advisory lock under which one replica at a time cleans up. */
const lockId = 0x63_6c_65_61;

/** Whether this transaction may clean up; another replica is at it otherwise. */
export async function tryLock(db: Queryable): Promise<boolean> {
  const { rows } = await sql<{
    locked: boolean;
  }>`select pg_try_advisory_xact_lock(${lockId}) as locked`.execute(db);
  return rows[0]?.locked ?? false;
}

/**
 * Agents that still have a history, whose build was replaced before `cutoff` and that were last there before it too; the
 * oldest first.
 */
export async function selectOldAgents(
  db: Queryable,
  cutoff: string,
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select agent.id from workspace_agents agent
      join workspace_builds build on build.id = agent.workspace_build_id
      where agent.history_removed_at is null and agent.created_at < ${cutoff}
        and greatest(agent.last_connected_at, agent.disconnected_at, agent.created_at) < ${cutoff}
        and exists (select from workspace_builds later
          where later.workspace_id = build.workspace_id and later.build_number > build.build_number
            and later.created_at < ${cutoff})
      order by agent.created_at limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** Lets readers of the agents' logs see that nothing of them is kept. */
export async function emptyLogPositions(db: Queryable, agentIds: readonly string[]): Promise<void> {
  await sql`
    update workspace_agent_log_positions
      set logs_length = 0, head_last_id = 0, tail_first_id = last_id + 1, tail_length = 0, batches = '{}'
      where workspace_agent_id = any(${[...agentIds]}::uuid[]) and logs_length > 0`.execute(db);
}

/** What agents leave behind, by table: the column that says whose a row is, and the table that stands between, if one does. */
const histories = {
  workspace_agent_logs: { column: "workspace_agent_id", between: undefined },
  workspace_connections: { column: "workspace_agent_id", between: undefined },
  workspace_agent_script_timings: { column: "script_id", between: "workspace_agent_scripts" },
  workspace_app_statuses: { column: "workspace_app_id", between: "workspace_apps" },
} as const;

type HistoryTable = keyof typeof histories;

export const historyTables: readonly HistoryTable[] = [
  "workspace_agent_logs",
  "workspace_connections",
  "workspace_agent_script_timings",
  "workspace_app_statuses",
];

/** Removes at most `limit` rows that the agents left in a table, and resolves to their number. */
export function deleteHistory(
  db: Queryable,
  name: HistoryTable,
  agentIds: readonly string[],
  limit: number,
): Promise<number> {
  const { column, between } = histories[name];
  const table = sql.table(name);
  const ids = sql`any(${[...agentIds]}::uuid[])`;
  const owners =
    between === undefined
      ? ids
      : sql`any(array(select id from ${sql.table(between)} where workspace_agent_id = ${ids}))`;
  return count(
    db,
    sql`delete from ${table} where ctid = any(array(
      select ctid from ${table} where ${sql.ref(column)} = ${owners} limit ${limit}))`,
  );
}

/** What goes by its age alone, also of agents that live: each app keeps its newest status. From statistics users are counted. */
const aged = {
  workspace_agent_stats: sql`created_at`,
  workspace_connections: sql`coalesce(connected_at, disconnected_at)`,
  workspace_app_statuses: sql`created_at`,
} as const;

type AgedTable = keyof typeof aged;

export const agedTables: readonly AgedTable[] = [
  "workspace_agent_stats",
  "workspace_connections",
  "workspace_app_statuses",
];

/** Removes at most `limit` rows of a table from before `cutoff`, and resolves to their number. */
export function deleteAged(
  db: Queryable,
  name: AgedTable,
  cutoff: string,
  limit: number,
): Promise<number> {
  const table = sql.table(name);
  const newest =
    name === "workspace_app_statuses"
      ? sql`and exists (select from workspace_app_statuses newer
          where newer.workspace_app_id = aged.workspace_app_id
            and (newer.created_at, newer.id) > (aged.created_at, aged.id))`
      : sql``;
  return count(
    db,
    sql`delete from ${table} where ctid = any(array(
      select ctid from ${table} aged where ${aged[name]} < ${cutoff} ${newest}
        order by ${aged[name]} limit ${limit}))`,
  );
}

export async function markHistoryRemoved(
  db: Queryable,
  agentIds: readonly string[],
): Promise<void> {
  await sql`update workspace_agents set history_removed_at = now()
    where id = any(${[...agentIds]}::uuid[])`.execute(db);
}

/** Session keys and tokens that expired before `cutoff`. */
export function deleteExpiredKeys(db: Queryable, cutoff: string, limit: number): Promise<number> {
  return count(
    db,
    sql`delete from api_keys where id in (
      select id from api_keys where expires_at < ${cutoff} order by expires_at limit ${limit})`,
  );
}

/** Dry runs that ended before `cutoff`, with their logs and plans. */
export function deleteDryRuns(db: Queryable, cutoff: string, limit: number): Promise<number> {
  return count(
    db,
    sql`delete from jobs where id in (
      select id from jobs where type = 'template_version_dry_run' and completed_at < ${cutoff}
        order by completed_at limit ${limit})`,
  );
}

/**
 * Versions pushed before `cutoff` that belong to no template, with their imports. One of which a template is being made now
 * is left alone, and so is one with dry runs.
 */
export function deleteUnusedVersions(
  db: Queryable,
  cutoff: string,
  limit: number,
): Promise<number> {
  return count(
    db,
    sql`with unused as (
        select version.id, version.job_id from template_versions version
          join jobs import on import.id = version.job_id
          where version.template_id is null and version.created_at < ${cutoff}
            and import.completed_at is not null
            and not exists (select from template_version_dry_runs where template_version_id = version.id)
          order by version.created_at limit ${limit} for update of version skip locked),
      imports as (delete from jobs where id in (select job_id from unused))
      delete from template_versions where id in (select id from unused)`,
  );
}

/** Files uploaded before `cutoff` that no template version and no job has. One that is being taken up is left alone. */
export function deleteUnusedFiles(db: Queryable, cutoff: string, limit: number): Promise<number> {
  return count(
    db,
    sql`delete from files where id in (
      select file.id from files file
        where file.created_at < ${cutoff}
          and not exists (select from template_versions where file_id = file.id)
          and not exists (select from jobs where file_id = file.id)
        order by file.created_at limit ${limit} for update skip locked)`,
  );
}

async function count(db: Queryable, statement: RawBuilder<unknown>): Promise<number> {
  const { numAffectedRows } = await statement.execute(db);
  return Number(numAffectedRows ?? 0n);
}
