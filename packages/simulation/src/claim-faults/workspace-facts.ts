import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import type { PostgresHost } from "./postgres-host.ts";

/** The facts about a workspace in the database. */
export interface WorkspaceFacts {
  readonly id: string;
  readonly name: string;
  readonly ownerName: string;
  readonly isDeleted: boolean;
  readonly wasPrebuild: boolean;
  /** All users for whom it was ever built, without the system user. */
  readonly claimers: readonly string[];
  /** The start of the claim's transaction. */
  readonly claimedAtMs: number | undefined;
  readonly isOwed: boolean;
  /** The state of the newest build's agent. */
  readonly lifecycle: string | undefined;
  /** The errors of failed builds. */
  readonly errors: readonly string[];
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly owner_name: string;
  readonly deleted: boolean;
  readonly was_prebuild: boolean;
  readonly claimers: readonly string[] | null;
  readonly claimed_at_ms: number | null;
  readonly is_owed: boolean;
  readonly lifecycle: string | null;
  readonly errors: readonly string[] | null;
}

const statement = `
  select w.id, w.name, owner.username as owner_name, w.deleted, builds.was_prebuild, builds.claimers, builds.errors,
      case when builds.was_prebuild then builds.first_owned_ms end as claimed_at_ms,
      exists (select from workspace_agents a join workspace_builds b on b.id = a.workspace_build_id
        where b.workspace_id = w.id and a.took_over and a.started_at is null and not a.deleted) as is_owed,
      (select a.lifecycle_state from workspace_agents a join workspace_builds b on b.id = a.workspace_build_id
        where b.workspace_id = w.id and not a.deleted and a.parent_id is null
        order by b.build_number desc limit 1) as lifecycle
    from workspaces w join users owner on owner.id = w.owner_id
      cross join lateral (
        select bool_or(b.build_number = 1 and b.owner_id = $1) as was_prebuild,
            array_agg(distinct u.username::text) filter (where b.owner_id <> $1) as claimers,
            (min(extract(epoch from b.created_at)) filter (where b.owner_id <> $1) * 1000)::float8 as first_owned_ms,
            array_agg(j.error) filter (where j.error is not null) as errors
          from workspace_builds b join users u on u.id = b.owner_id join jobs j on j.id = b.job_id
          where b.workspace_id = w.id) builds
    order by w.created_at`;

/** Reads every workspace that ever existed, including deleted ones, the oldest first. */
export async function readWorkspaceFacts(
  postgres: PostgresHost,
): Promise<readonly WorkspaceFacts[]> {
  const rows = await postgres.query<Row>(statement, [prebuildsUserId]);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    ownerName: row.owner_name,
    isDeleted: row.deleted,
    wasPrebuild: row.was_prebuild,
    claimers: row.claimers ?? [],
    claimedAtMs: row.claimed_at_ms ?? undefined,
    isOwed: row.is_owed && !row.deleted,
    lifecycle: row.lifecycle ?? undefined,
    errors: row.errors ?? [],
  }));
}
