import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { isLiveAgent } from "../agents/live-queries.ts";
import type { Cutoffs } from "./limits.ts";

/** "clea" in ASCII: the advisory lock under which one replica at a time cleans up. */
const lockId = 0x63_6c_65_61;

/** Returns whether this transaction has the lock to clean up; otherwise another replica is cleaning up. */
export async function tryLock(db: Queryable): Promise<boolean> {
  const { rows } = await sql<{
    locked: boolean;
  }>`select pg_try_advisory_xact_lock(${lockId}) as locked`.execute(db);
  return rows[0]?.locked ?? false;
}

/**
 * Selects agents that still have a history, whose build was replaced before `cutoff` and that last connected before it
 * too, oldest first.
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

/** The number of newest builds whose owners a round examines. */
const maxRecentBuilds = 5_000;

/** Makes the logs of agents appear empty to readers. */
export async function emptyLogPositions(db: Queryable, agentIds: readonly string[]): Promise<void> {
  await sql`
    update workspace_agent_log_positions
      set logs_length = 0, head_last_id = 0, tail_first_id = last_id + 1, tail_length = 0, batches = '{}'
      where workspace_agent_id = any(${[...agentIds]}::uuid[]) and logs_length > 0`.execute(db);
}

/**
 * The tables with the history of agents: the column that identifies the owner of a row, and the intermediate table, if any.
 */
export const historyTables = [
  { name: "workspace_agent_logs", column: "workspace_agent_id", between: undefined },
  { name: "workspace_connections", column: "workspace_agent_id", between: undefined },
  {
    name: "workspace_agent_script_timings",
    column: "script_id",
    between: "workspace_agent_scripts",
  },
  { name: "workspace_app_statuses", column: "workspace_app_id", between: "workspace_apps" },
] as const;

type HistoryTable = (typeof historyTables)[number];

/**
 * Selects agents that still have a history, whose build was replaced since `cutoff`, and whose owner has `kept` newer
 * such agents, oldest first. Agents that keep running after a stop, and sub-agents that ended, are not among them.
 * Examines only owners one of whose builds was replaced since `recent`: of others, nothing has changed.
 */
export async function selectSurplusAgents(
  db: Queryable,
  {
    replacedBuilds: cutoff,
    recentBuilds: recent,
  }: Pick<Cutoffs, "replacedBuilds" | "recentBuilds">,
  kept: number,
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select surplus.id
      from (select distinct owner_id from (
          select owner_id from workspace_builds
            where build_number > 1 and created_at >= ${recent}
            order by created_at desc limit ${maxRecentBuilds}) newest) active
        cross join lateral (
          select agent.id, agent.created_at from workspace_builds later
            join workspace_builds build on build.workspace_id = later.workspace_id
              and build.build_number = later.build_number - 1
            join workspace_agents agent on agent.workspace_build_id = build.id
            where later.owner_id = active.owner_id
              and later.build_number > 1 and later.created_at >= ${cutoff}
              and agent.history_removed_at is null and not agent.deleted
            order by agent.created_at desc offset ${kept}) surplus
      where not ${isLiveAgent(sql.ref("surplus.id"))}
      order by surplus.created_at limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** Removes at most `limit` rows that the agents left in a table, and resolves to their number. */
export function deleteHistory(
  db: Queryable,
  { name, column, between }: HistoryTable,
  agentIds: readonly string[],
  limit: number,
): Promise<number> {
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

/**
 * The tables whose rows are removed by age alone, even those of live agents. `keptFor`: the column for each of whose values
 * the newest row is kept, such as the last status of an app. Statistics are the source of user counts.
 */
export const agedTables = [
  { name: "workspace_agent_stats", age: sql`created_at`, keptFor: undefined },
  {
    name: "workspace_connections",
    age: sql`coalesce(connected_at, disconnected_at)`,
    keptFor: undefined,
  },
  { name: "workspace_app_statuses", age: sql`created_at`, keptFor: "workspace_app_id" },
  { name: "workspace_agent_script_timings", age: sql`created_at`, keptFor: "script_id" },
] as const;

/** Tables that have separate retention periods. */
export const separateTables = {
  runs: { name: "kept_runs", age: sql`created_at`, keptFor: undefined },
  readings: { name: "parameter_readings", age: sql`created_at`, keptFor: undefined },
  auditEntries: { name: "audit_log", age: sql`created_at`, keptFor: undefined },
  buildLogLines: { name: "job_logs", age: sql`created_at`, keptFor: undefined },
} as const;

type AgedTable = (typeof agedTables)[number] | (typeof separateTables)[keyof typeof separateTables];

/** Removes at most `limit` rows of a table from before `cutoff`, and resolves to their number. */
export function deleteAged(
  db: Queryable,
  { name, age, keptFor }: AgedTable,
  cutoff: string,
  limit: number,
): Promise<number> {
  const table = sql.table(name);
  const hasNewer =
    keptFor === undefined
      ? sql``
      : sql`and exists (select from ${table} newer
          where ${sql.ref(`newer.${keptFor}`)} = ${sql.ref(`aged.${keptFor}`)}
            and (newer.created_at, newer.ctid) > (aged.created_at, aged.ctid))`;
  return count(
    db,
    sql`delete from ${table} where ctid = any(array(
      select ctid from ${table} aged where ${age} < ${cutoff} ${hasNewer}
        order by ${age} limit ${limit}))`,
  );
}

/**
 * Removes at most `limit` statistics between two times, keeping the last per agent and hour, and resolves to their
 * number. Usage is reported by day, in time zones that differ by hours.
 */
export function thinStatistics(
  db: Queryable,
  { from, to }: { readonly from: string; readonly to: string },
  limit: number,
): Promise<number> {
  return count(
    db,
    sql`delete from workspace_agent_stats where ctid = any(array(
      select ctid from workspace_agent_stats thinned
        where created_at >= ${from} and created_at < ${to}
          and exists (select from workspace_agent_stats later
            where later.workspace_agent_id = thinned.workspace_agent_id and later.id > thinned.id
              and date_trunc('hour', later.created_at) = date_trunc('hour', thinned.created_at))
        order by created_at limit ${limit}))`,
  );
}

/**
 * Removes at most `limit` sub-agents that ended before `cutoff`, with all their records, and resolves to their number.
 */
export function deleteEndedSubAgents(
  db: Queryable,
  cutoff: string,
  limit: number,
): Promise<number> {
  return count(
    db,
    sql`delete from workspace_agents where id = any(array(
      select id from workspace_agents
        where parent_id is not null and deleted and updated_at < ${cutoff}
        order by updated_at limit ${limit}))`,
  );
}

export async function markHistoryRemoved(
  db: Queryable,
  agentIds: readonly string[],
): Promise<void> {
  await sql`update workspace_agents set history_removed_at = now()
    where id = any(${[...agentIds]}::uuid[])`.execute(db);
}

/** Removes session keys and tokens that expired before `cutoff`. */
export function deleteExpiredKeys(db: Queryable, cutoff: string, limit: number): Promise<number> {
  return count(
    db,
    sql`delete from api_keys where id in (
      select id from api_keys where expires_at < ${cutoff} order by expires_at limit ${limit})`,
  );
}

/** Removes dry runs that ended before `cutoff`, with their logs and plans. */
export function deleteDryRuns(db: Queryable, cutoff: string, limit: number): Promise<number> {
  return count(
    db,
    sql`delete from jobs where id in (
      select id from jobs where type = 'template_version_dry_run' and completed_at < ${cutoff}
        order by completed_at limit ${limit})`,
  );
}

/**
 * Removes versions pushed before `cutoff` that belong to no template, with their imports. Skips those that a template
 * is being created from now, and those with dry runs.
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

/** Removes files uploaded before `cutoff` that no template version or job uses. Skips those being put to use. */
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
