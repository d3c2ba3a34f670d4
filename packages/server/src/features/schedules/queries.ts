import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { Weekday } from "@slipway/api/templates/template";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { timestampFromMs, timestampMs } from "../../platform/db/timestamp.ts";
import { effectiveTtlMs } from "../../platform/jobs/build-sql.ts";
import { jobStatus } from "../../platform/jobs/job-sql.ts";
import { deletionOf } from "../workspaces/dormant-deletion.ts";
import type { ScheduledWorkspace } from "./plan.ts";
import type { RequiredStops } from "./required-stop.ts";

/** The number of workspaces that are selected at a time. */
const pageSize = 500;

/** The last use of a workspace `w`; creating it counts as use. */
const lastUse = sql<string>`coalesce(w.last_used_at, w.created_at)`;

/** The time to live of a workspace that is deleted after it; null for one that is stopped. */
const deletionTtlMs = sql<
  number | null
>`case when w.on_deadline = 'delete' then ${effectiveTtlMs} end`;

function scheduled(db: Queryable) {
  return (
    db
      .selectFrom("workspaces as w")
      .innerJoin("users as owner", "owner.id", "w.owner_id")
      .innerJoin("templates as t", "t.id", "w.template_id")
      .innerJoin("workspace_states as state", "state.workspace_id", "w.id")
      .innerJoin("workspace_builds as newest", "newest.id", "state.build_id")
      .innerJoin("jobs as j", "j.id", "newest.job_id")
      .where("state.deleted", "=", sql.lit(false))
      // An unclaimed prebuild runs as long as its pool needs it.
      .where("state.owner_id", "<>", sql.lit(prebuildsUserId))
      .select([
        "w.id",
        "state.revision",
        "owner.status as owner_status",
        "w.dormant_at",
        "w.last_day_at",
        "t.time_til_dormant_autodelete_ms as template_time_til_dormant_autodelete_ms",
        "t.dormant_autodelete_set_at as template_dormant_autodelete_set_at",
        lastUse.as("last_use"),
        "w.template_id",
        "t.autostop_days",
        "t.allow_user_autostart",
        "t.failure_ttl_ms",
        "t.time_til_dormant_ms",
        "w.autostart_schedule",
        "w.next_start_at",
        "newest.transition",
        "newest.deadline",
        "newest.max_deadline",
        deletionTtlMs.as("deletion_ttl_ms"),
        "j.completed_at",
        jobStatus("j").as("job_status"),
      ])
  );
}

type Row = Awaited<ReturnType<ReturnType<typeof scheduled>["execute"]>>[number];

/** A workspace to look at, and the revision of its state (migration 0066) that was read. */
export interface DueWorkspace {
  readonly workspace: ScheduledWorkspace;
  readonly revision: number;
  readonly templateId: string;
  /** True if its template requires it to stop at a time that it does not have yet. */
  readonly lacksRequiredStop: boolean;
}

/**
 * Yields the workspaces to look at by `now`, page by page: a page of workspaces whose actions are refused, and which
 * therefore stay due, does not hold up those after it.
 */
export async function* selectDue(
  db: Queryable,
  now: number,
): AsyncGenerator<readonly DueWorkspace[]> {
  let after = { due_at: timestampFromMs(0), id: nilUuid };
  for (;;) {
    const rows = await scheduled(db)
      .select("state.due_at")
      .where("state.due_at", "<=", timestampFromMs(now))
      .where(sql<boolean>`(state.due_at, state.workspace_id) > (${after.due_at}, ${after.id})`)
      .orderBy("state.due_at")
      .orderBy("state.workspace_id")
      .limit(pageSize)
      .execute();
    yield rows.map(readDue);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = last;
  }
}

/**
 * Sets when to look at workspaces next, unless they have changed since they were read. One that is changing now is
 * looked at after that.
 */
export async function updateDue(
  db: Queryable,
  looks: readonly { readonly due: DueWorkspace; readonly at: number }[],
): Promise<void> {
  if (looks.length === 0) return;
  const ids = looks.map(({ due }) => due.workspace.id);
  const revisions = looks.map(({ due }) => due.revision);
  const times = looks.map(({ at }) => timestampFromMs(at));
  await sql`
    with free as (
      select workspace_id, revision from workspace_states
        where workspace_id = any(${ids}::uuid[]) for update skip locked)
    update workspace_states state set due_at = look.at
      from free, unnest(${ids}::uuid[], ${revisions}::bigint[], ${times}::timestamptz[]) as look (id, revision, at)
      where state.workspace_id = free.workspace_id and free.workspace_id = look.id
        and free.revision = look.revision`.execute(db);
}

/** Reads the current state of one workspace. */
export async function selectScheduled(
  db: Queryable,
  workspaceId: string,
): Promise<ScheduledWorkspace | undefined> {
  const row = await scheduled(db).where("w.id", "=", workspaceId).executeTakeFirst();
  return row === undefined ? undefined : read(row);
}

function readDue(row: Row): DueWorkspace {
  const workspace = read(row);
  const { transition, job, maxDeadline } = workspace.build;
  const isUnbounded = transition === "start" && job === "succeeded" && maxDeadline === undefined;
  return {
    workspace,
    revision: row.revision,
    templateId: row.template_id,
    lacksRequiredStop: isUnbounded && row.autostop_days.length > 0,
  };
}

function read(row: Row): ScheduledWorkspace {
  return {
    id: row.id,
    ownerIsActive: row.owner_status !== "suspended",
    isDormant: row.dormant_at !== null,
    deletion: deletionOf(row),
    lastUsedAt: timestampMs(row.last_use),
    autostart: row.autostart_schedule ?? undefined,
    deletionTtlMs: row.deletion_ttl_ms ?? undefined,
    nextStartAt: timestampMs(row.next_start_at),
    rules: {
      allowsAutostart: row.allow_user_autostart,
      dormancyMs: row.time_til_dormant_ms === 0 ? undefined : row.time_til_dormant_ms,
      failureTtlMs: row.failure_ttl_ms === 0 ? undefined : row.failure_ttl_ms,
    },
    build: {
      transition: row.transition,
      job: stateOf(row.job_status),
      completedAt: timestampMs(row.completed_at),
      deadline: timestampMs(row.deadline),
      maxDeadline: timestampMs(row.max_deadline),
    },
  };
}

function stateOf(status: Row["job_status"]): ScheduledWorkspace["build"]["job"] {
  switch (status) {
    case "pending":
    case "running":
    case "canceling":
      return "open";
    case "succeeded":
      return "succeeded";
    case "canceled":
    case "failed":
      return status;
  }
}

/**
 * Selects those of the templates that require stops, and locks their rules until the transaction ends, so that no
 * workspace gets a time from a rule that was just replaced.
 */
export async function selectRequiredStops(
  db: Queryable,
  templateIds: readonly string[],
): Promise<readonly (RequiredStops & { readonly templateId: string })[]> {
  return db
    .selectFrom("templates as t")
    .where(sql<boolean>`t.id = any(${templateIds}::uuid[])`)
    .where("t.deleted", "=", sql.lit(false))
    .where("t.autostop_days", "<>", sql<Weekday[]>`'{}'::text[]`)
    .select(["t.id as templateId", "t.autostop_days as days", "t.autostop_weeks as weeks"])
    .orderBy("t.id")
    .forShare()
    .execute();
}

/** Locks the rules of the template of a workspace until the transaction ends. */
export async function lockRules(db: Queryable, workspaceId: string): Promise<void> {
  await db
    .selectFrom("templates as t")
    .innerJoin("workspaces as w", "w.template_id", "t.id")
    .where("w.id", "=", workspaceId)
    .select("t.id")
    .forShare("t")
    .execute();
}

export async function updateNextStart(
  db: Queryable,
  workspaceId: string,
  nextStartAt: number | undefined,
): Promise<void> {
  const next_start_at = nextStartAt === undefined ? null : timestampFromMs(nextStartAt);
  await db.updateTable("workspaces").set({ next_start_at }).where("id", "=", workspaceId).execute();
}

/** "schd" in ASCII: the advisory lock under which one replica at a time carries out schedules. */
const lockId = 0x73_63_68_64;

/** Returns whether this transaction has the lock to carry out schedules, until it ends. */
export async function tryLockSchedules(db: Queryable): Promise<boolean> {
  const { rows } = await sql<{
    readonly locked: boolean;
  }>`select pg_try_advisory_xact_lock(${lockId}) as locked`.execute(db);
  return rows[0]?.locked === true;
}
