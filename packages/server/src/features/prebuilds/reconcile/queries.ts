import type { Transition } from "@slipway/api/builds/resource";
import type { PrebuildStatus } from "@slipway/api/prebuilds/prebuild";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { timestampMs } from "../../../platform/db/timestamp.ts";
import { newestBuild } from "../../../platform/jobs/build-sql.ts";
import { jobStatus } from "../../../platform/jobs/job-sql.ts";
import type { Pool, PoolSnapshot, Prebuild } from "./snapshot.ts";

/** The advisory lock under which one replica at a time fills pools (docs/protocol/prebuilds.md §1.1). */
const lockId = 7;

/** Returns whether this transaction has the lock to fill pools, until it ends. */
export async function tryLockPools(trx: Queryable): Promise<boolean> {
  const { rows } = await sql<{
    readonly locked: boolean;
  }>`select pg_try_advisory_xact_lock(${lockId}) as locked`.execute(trx);
  return rows[0]?.locked === true;
}

/** Selects the presets whose pools may need something: those to be filled, and those that are not empty. */
export async function selectPoolIds(db: Queryable): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly id: string }>`
    select preset.id from template_version_presets preset
      join templates t on t.active_version_id = preset.template_version_id
      where preset.desired_instances is not null and not t.deleted
    union
    select distinct prebuild_preset_id from workspaces
      where prebuild_preset_id is not null and not deleted
    order by id`.execute(db);
  return rows.map(({ id }) => id);
}

/** The inputs from which the system user creates a workspace of a pool. */
export interface PoolOrigin {
  readonly organizationId: string;
  readonly organizationName: string;
  readonly templateId: string;
  readonly templateName: string;
  readonly versionId: string;
  readonly versionName: string;
  readonly presetName: string;
}

export interface FoundPool {
  readonly origin: PoolOrigin;
  readonly isTemplateDeleted: boolean;
  readonly snapshot: PoolSnapshot;
  readonly nowMs: number;
}

export async function selectPool(db: Queryable, presetId: string): Promise<FoundPool | undefined> {
  const row = await db
    .selectFrom("template_version_presets as preset")
    .innerJoin("template_versions as v", "v.id", "preset.template_version_id")
    .innerJoin("templates as t", "t.id", "v.template_id")
    .innerJoin("organizations as o", "o.id", "t.organization_id")
    .where("preset.id", "=", presetId)
    .select([
      "preset.name as preset_name",
      "preset.desired_instances",
      "preset.invalidate_after_secs",
      "preset.scheduling_timezone",
      "preset.last_invalidated_at",
      "preset.prebuild_status",
      "v.id as version_id",
      "v.name as version_name",
      "t.id as template_id",
      "t.name as template_name",
      "t.organization_id",
      "t.deleted as template_deleted",
      "o.name as organization_name",
      sql<boolean>`t.active_version_id = v.id and not t.deleted and t.deprecation_message = ''`.as(
        "is_active",
      ),
      sql<string>`now()`.as("now"),
    ])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const windows = await db
    .selectFrom("template_version_preset_prebuild_schedules")
    .where("preset_id", "=", presetId)
    .select(["cron_expression as cron", "desired_instances as instances"])
    .execute();
  const pool: Pool = {
    presetId,
    isActive: row.is_active && row.desired_instances !== null,
    desiredInstances: row.desired_instances ?? 0,
    schedulingTimezone: row.scheduling_timezone,
    windows,
    expireAfterMs: row.invalidate_after_secs === 0 ? undefined : row.invalidate_after_secs * 1000,
    lastInvalidatedAtMs: timestampMs(row.last_invalidated_at),
    status: row.prebuild_status,
  };
  return {
    origin: {
      organizationId: row.organization_id,
      organizationName: row.organization_name,
      templateId: row.template_id,
      templateName: row.template_name,
      versionId: row.version_id,
      versionName: row.version_name,
      presetName: row.preset_name,
    },
    isTemplateDeleted: row.template_deleted,
    snapshot: { pool, prebuilds: await selectPrebuilds(db, presetId, row.version_id) },
    nowMs: timestampMs(row.now),
  };
}

interface PrebuildRow {
  readonly id: string;
  readonly created_at: string;
  readonly transition: Transition;
  readonly status: Prebuild["build"]["status"] | "canceling";
  readonly build_created_at: string;
  readonly template_version_id: string;
  readonly is_ready: boolean;
}

async function selectPrebuilds(
  db: Queryable,
  presetId: string,
  versionId: string,
): Promise<readonly Prebuild[]> {
  const { rows } = await sql<PrebuildRow>`
    select w.id, w.created_at, newest.transition, newest.created_at as build_created_at,
        newest.template_version_id, ${jobStatus("j")} as status,
        coalesce((select bool_and(a.lifecycle_state = 'ready') from workspace_agents a
          where a.workspace_build_id = newest.id and a.parent_id is null and not a.deleted), false) as is_ready
      from workspaces w
        cross join lateral ${newestBuild(sql`w.id`)} newest
        join jobs j on j.id = newest.job_id
      where w.prebuild_preset_id = ${presetId} and w.owner_id = ${prebuildsUserId} and not w.deleted
      order by w.created_at, w.id`.execute(db);
  return rows.map((row) => ({
    workspaceId: row.id,
    createdAtMs: timestampMs(row.created_at),
    build: {
      transition: row.transition,
      status: row.status === "canceling" ? "running" : row.status,
      createdAtMs: timestampMs(row.build_created_at),
      isOfVersion: row.template_version_id === versionId,
    },
    isReady: row.is_ready,
  }));
}

export async function updatePrebuildStatus(
  db: Queryable,
  presetId: string,
  status: PrebuildStatus,
): Promise<void> {
  await db
    .updateTable("template_version_presets")
    .set({ prebuild_status: status })
    .where("id", "=", presetId)
    .where("prebuild_status", "<>", status)
    .execute();
}

/**
 * Locks a workspace that still belongs to the system user, without waiting: another holder of the lock is claiming or
 * building it. Resolves to its name and its newest job.
 */
export async function lockPrebuildToDelete(trx: Queryable, workspaceId: string) {
  const locked = await trx
    .selectFrom("workspaces")
    .where("id", "=", workspaceId)
    .where("owner_id", "=", prebuildsUserId)
    .where("deleted", "=", sql.lit(false))
    .select(["id", "name", "owner_id", "organization_id", "template_id"])
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (locked === undefined) return undefined;
  const job = await trx
    .selectFrom(newestBuild(sql.val(workspaceId)).as("b"))
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .select(["j.id", "j.started_at", "j.completed_at"])
    .executeTakeFirst();
  return job === undefined ? undefined : { ...locked, job };
}
