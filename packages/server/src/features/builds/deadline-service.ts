import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { timestampFromMs, timestampMs } from "../../platform/db/timestamp.ts";
import { Conflict, invalidField } from "../../platform/errors/errors.ts";
import { effectiveTtlMs, endOfLife, newestBuild } from "../../platform/jobs/build-sql.ts";
import { hasSucceeded } from "../../platform/jobs/job-sql.ts";
import type { stateColumns } from "./driver-state.ts";

/** The longest time from now to a deadline, in milliseconds. */
const maxDeadlineMs = 30 * 24 * 60 * 60 * 1000;

/**
 * Sets the deadline of a running build, in RFC 3339; returns false if it is unchanged. Throws `Conflict` when the
 * workspace is not running or has no deadline, `Invalid` for a time that is past or too far ahead.
 */
export async function extendDeadline(
  db: Queryable,
  build: WorkspaceBuild,
  deadline: string,
  now: number,
): Promise<boolean> {
  if (build.status !== "running") {
    throw new Conflict(`Workspace must be started, current status: ${build.status}`);
  }
  if (build.deadline === null) {
    throw new Conflict("Workspace shutdown is manual.", {
      detail: "Set a time to live, then restart the workspace.",
    });
  }
  const wantedMs = timestampMs(deadline);
  if (!(wantedMs > now)) throw invalidField("deadline", `must be in the future, found ${deadline}`);
  const limitMs = Math.min(
    now + maxDeadlineMs,
    build.max_deadline === null ? Infinity : timestampMs(build.max_deadline),
  );
  if (wantedMs > limitMs) {
    const limit = timestampFromMs(limitMs);
    throw invalidField("deadline", `must be at most ${limit}, found ${deadline}`);
  }
  if (wantedMs === timestampMs(build.deadline)) return false;
  await updateBuildDeadline(db, build.id, timestampFromMs(wantedMs));
  return true;
}

/** Sets the deadline of a running build; null: none. */
async function updateBuildDeadline(
  db: Queryable,
  buildId: string,
  deadline: string | null,
): Promise<void> {
  await db
    .updateTable("workspace_builds")
    .set({ deadline, updated_at: sql`now()` })
    .where("id", "=", buildId)
    .execute();
}

/**
 * Removes the deadline of a running workspace, down to the time at which its template requires a stop; resolves to false if it has
 * no other.
 */
export async function dropDeadline(db: Queryable, workspaceId: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("workspace_builds")
    .set({ deadline: sql`max_deadline`, updated_at: sql`now()` })
    .where("workspace_id", "=", workspaceId)
    .where("deadline", "is not", null)
    .whereRef("deadline", "is distinct from", "max_deadline")
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Records that a workspace is in use, and extends the deadline of its running build by the template's activity bump
 * (docs/protocol/rpc.md §7.4): never back, not beyond the build's maximum, and if the next autostart comes first, to that
 * plus the time to live.
 */
export async function noteActivity(db: Queryable, workspaceId: string): Promise<void> {
  await sql`
    with used as (
      update workspaces w set last_used_at = now() from templates t
        where w.id = ${workspaceId} and t.id = w.template_id
      returning w.id, w.template_id, ${effectiveTtlMs} as ttl_ms,
        case when t.allow_user_autostart then w.next_start_at end as next_start_at
    ), bumped as (
      select b.id, b.deadline, least(
        case when used.next_start_at < now() + t.activity_bump_ms * interval '1 millisecond'
          then used.next_start_at + used.ttl_ms * interval '1 millisecond'
          else now() + t.activity_bump_ms * interval '1 millisecond' end,
        b.max_deadline) as wanted
      from used
      join templates t on t.id = used.template_id
      join lateral ${newestBuild(sql`used.id`)} b on b.transition = 'start' and b.deadline is not null
    )
    update workspace_builds b set deadline = bumped.wanted, updated_at = now()
      from bumped
      where b.id = bumped.id and bumped.wanted > bumped.deadline + interval '30 seconds'`.execute(
    db,
  );
}

/**
 * Requires those of the workspaces that run and are of a template to stop at a time, in use or not, unless they have such
 * a time already; resolves to their ids. Builds do not set it: a workspace gets it from the scheduler after its start. An unclaimed
 * prebuild runs as long as its pool needs it.
 */
export async function requireStops(
  db: Queryable,
  templateId: string,
  workspaceIds: readonly string[],
  at: number,
): Promise<readonly string[]> {
  const maxDeadline = timestampFromMs(at);
  const { rows } = await sql<{ readonly workspace_id: string }>`
    update workspace_builds b
      set max_deadline = ${maxDeadline}::timestamptz,
        deadline = least(b.deadline, ${maxDeadline}::timestamptz), updated_at = now()
      from workspaces w
        cross join lateral ${newestBuild(sql`w.id`)} newest
        join jobs j on j.id = newest.job_id
      where b.id = newest.id and b.max_deadline is null
        and w.id = any(${workspaceIds}::uuid[]) and w.template_id = ${templateId} and not w.deleted and w.owner_id <> ${prebuildsUserId}
        and newest.transition = 'start' and ${hasSucceeded("j")}
      returning b.workspace_id`.execute(db);
  return rows.map(({ workspace_id: id }) => id);
}

/** Sets the deadline of a finished start by its workspace's time to live; without one, it has none. */
export async function updateDeadline(db: Queryable, buildId: string): Promise<void> {
  await sql`
    update workspace_builds b
      set deadline = least(${endOfLife}, b.max_deadline)
      from workspaces w join templates t on t.id = w.template_id
      where b.id = ${buildId} and w.id = b.workspace_id and ${effectiveTtlMs} is not null`.execute(
    db,
  );
}

/** Sets that deadline together with the state that the driver returned. */
export async function updateStarted(
  db: Queryable,
  buildId: string,
  { driver_state: plain, driver_state_encrypted: sealed }: ReturnType<typeof stateColumns>,
): Promise<void> {
  await startedBuilds(db, buildId, plain, sealed);
}

const startedBuilds = prepareQuery(
  (_, buildId: string, plain: Buffer | null, sealed: Buffer | null) => sql`
    update workspace_builds b
      set driver_state = ${plain}, driver_state_encrypted = ${sealed}, updated_at = now(),
        deadline = case when ${effectiveTtlMs} is null then b.deadline else least(${endOfLife}, b.max_deadline) end
      from workspaces w join templates t on t.id = w.template_id
      where b.id = ${buildId} and w.id = b.workspace_id`,
);
