import type { BuildStatus } from "@slipway/api/builds/build";
import { type RawBuilder, type Selectable, sql } from "kysely";

import type { DB } from "../db/gen/schema.ts";
import { jobStatus } from "./job-sql.ts";

/**
 * Returns the newest build of a workspace as a table of at most one row, for the `from` of a statement or a lateral
 * join. Columns that the statement does not use are not read.
 */
export function newestBuild(
  workspaceId: RawBuilder<string>,
): RawBuilder<Selectable<DB["workspace_builds"]>> {
  return sql`(
    select * from workspace_builds where workspace_id = ${workspaceId} order by build_number desc limit 1)`;
}

/** Returns the condition that a build is not the newest of its workspace; `build` is the table's alias. */
export function isReplaced(build: string): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from workspace_builds later
      where later.workspace_id = ${sql.ref(`${build}.workspace_id`)}
        and later.build_number > ${sql.ref(`${build}.build_number`)})`;
}

/** Returns the status of a build in SQL, as `buildStatus` derives it; both are aliases of tables. */
export function buildStatus(build: string, job: string): RawBuilder<BuildStatus> {
  const transition = sql.ref(`${build}.transition`);
  return sql`case ${jobStatus(job)}
    when 'running' then
      case ${transition} when 'start' then 'starting' when 'stop' then 'stopping' else 'deleting' end
    when 'succeeded' then
      case ${transition} when 'start' then 'running' when 'stop' then 'stopped' else 'deleted' end
    else ${jobStatus(job)} end`;
}

/**
 * The time to live of a workspace `w` with template `t`, in milliseconds: its owner's, or the template's default if
 * owners may not choose one; null: none.
 */
export const effectiveTtlMs = sql<number | null>`
  (case when t.allow_user_autostop then w.ttl_ms else nullif(t.default_ttl_ms, 0) end)`;

/** The deadline of a workspace `w` with template `t` that starts now; null: none. */
export const endOfLife = sql<string | null>`now() + ${effectiveTtlMs} * interval '1 millisecond'`;
