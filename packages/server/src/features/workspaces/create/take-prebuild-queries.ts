import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { type RawBuilder, type Selectable, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import type { DB } from "../../../platform/db/gen/schema.ts";
import { withLockTimeout } from "../../../platform/db/lock-timeout.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { newestBuild } from "../../../platform/jobs/build-sql.ts";
import { hasSucceeded } from "../../../platform/jobs/job-sql.ts";
import { isConnected } from "../../agents/agent-status.ts";
import { keepsTemplate, keepsUser } from "../../builds/lock-service.ts";

/** The longest that a claim waits for a prebuild that others hold, when there is no other, in milliseconds. */
export const lockWaitMs = 2_000;

/**
 * Returns the condition that a workspace `w` can be claimed from the pool of a preset (docs/protocol/prebuilds.md §1.4
 * and §6): it runs in the active version, all its root agents are ready, and it has neither expired nor been
 * invalidated.
 */
function isWaiting(presetId: string): RawBuilder<boolean> {
  return sql<boolean>`
    w.prebuild_preset_id = ${presetId} and w.owner_id = ${prebuildsUserId} and not w.deleted and exists (
      select from template_version_presets preset
        join templates t on t.id = w.template_id and t.active_version_id = preset.template_version_id
        cross join lateral ${newestBuild(sql`w.id`)} newest
        join jobs j on j.id = newest.job_id
        where preset.id = ${presetId} and not t.deleted
          and newest.template_version_id = preset.template_version_id
          and newest.transition = 'start' and ${hasSucceeded("j")}
          and (preset.invalidate_after_secs = 0
            or newest.created_at >= now() - make_interval(secs => preset.invalidate_after_secs))
          and (preset.last_invalidated_at is null or newest.created_at >= preset.last_invalidated_at)
          and ${agentsOf(sql`newest.id`, sql`true`)}
          and not ${agentsOf(sql`newest.id`, sql`a.lifecycle_state <> 'ready'`)})`;
}

const areConnected = sql<boolean>`
  not ${agentsOf(
    sql`(select id from ${newestBuild(sql`w.id`)} newest)`,
    sql`not ${isConnected("a")}`,
  )}`;

/** Returns the condition that a build has root agents for which `holds` is true. */
function agentsOf(buildId: RawBuilder<string>, holds: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from workspace_agents a
      where a.workspace_build_id = ${buildId} and a.parent_id is null and not a.deleted and (${holds}))`;
}

/** Locks the prebuild that a claim takes, as `ClaimTransaction` describes. */
export async function lockPrebuild(
  trx: Queryable,
  presetId: string,
  except: readonly string[],
): Promise<string | undefined> {
  return (
    (await lockConnected(trx, presetId, except)) ??
    (await lockFree(trx, presetId, except)) ??
    (await waitForOne(trx, presetId, except))
  );
}

/** A prebuild, and the columns that it gets with its owner, as JSON. */
export interface NewColumns {
  readonly workspaceId: string;
  readonly presetId: string;
  readonly ownerId: string;
  /** The name and the settings. */
  readonly columns: string;
}

/** Returns a statement that gives a prebuild to its owner if it still waits, and returns what its build is told. */
export function changingOwner(
  db: Queryable,
  { workspaceId, presetId, ownerId, columns }: NewColumns,
) {
  return db
    .updateTable("workspaces as w")
    .from(newColumns(columns).as("new"))
    .set({
      owner_id: ownerId,
      name: sql.ref("new.name"),
      prebuild_preset_id: null,
      dormant_at: null,
      last_used_at: sql`now()`,
      updated_at: sql`now()`,
      automatic_updates: sql.ref("new.automatic_updates"),
      autostart_schedule: sql.ref("new.autostart_schedule"),
      next_start_at: sql.ref("new.next_start_at"),
      ttl_ms: sql.ref("new.ttl_ms"),
    })
    .where("w.id", "=", workspaceId)
    .where(isWaiting(presetId))
    .where(keepsTemplate(sql.ref("w.template_id")))
    .where(keepsUser(sql.val(ownerId)))
    .returning(["w.id", "w.name", "w.owner_id", "w.template_id", "w.ttl_ms"]);
}

function newColumns(json: string): RawBuilder<Selectable<DB["workspaces"]>> {
  return sql`jsonb_populate_record(null::workspaces, ${json}::jsonb)`;
}

/**
 * Waits for the oldest prebuild locked by others until they release it: a claim was rolled back, or the lock was brief.
 * Undefined when none is waiting, or all are taken meanwhile.
 */
async function waitForOne(
  trx: Queryable,
  presetId: string,
  except: readonly string[],
): Promise<string | undefined> {
  const { rows } = await sql`
    select from workspaces w
      where ${isWaiting(presetId)} and w.id <> all(${sql.val([...except])}::uuid[]) limit 1`.execute(
    trx,
  );
  if (rows.length === 0) return undefined;
  return withLockTimeout(trx, lockWaitMs, () => lockOldest(trx, presetId, except));
}

const lockConnected = lockOne(areConnected, sql`skip locked`);
const lockFree = lockOne(sql`true`, sql`skip locked`);
const lockOldest = lockOne(sql`true`, sql``);

/**
 * Returns a function that locks the oldest waiting prebuild; `skip locked` leaves out those that others hold. Walks the
 * pool by its index and examines prebuilds one by one: `offset 0` and `lateral` keep the planner from examining all of
 * them first, which it estimates as cheap while it has few statistics on a pool.
 */
function lockOne(condition: RawBuilder<boolean>, ifLocked: RawBuilder<unknown>) {
  const lock = prepareQuery(
    (_, presetId: string, except: readonly string[]) => sql<{ readonly id: string }>`
    select locked.id
      from (
          select id, created_at, name from workspaces
            where prebuild_preset_id = ${presetId} and not deleted
            order by created_at, name offset 0) oldest
        cross join lateral (
          select w.id from workspaces w
            where w.id = oldest.id and ${isWaiting(presetId)}
              and w.id <> all(${except}::uuid[]) and ${condition}
            for no key update of w ${ifLocked}) locked
      order by oldest.created_at, oldest.name limit 1`,
  );
  return async (
    trx: Queryable,
    presetId: string,
    except: readonly string[],
  ): Promise<string | undefined> => (await lock(trx, presetId, except))[0]?.id;
}
