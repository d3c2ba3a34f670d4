import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { Weekday } from "@slipway/api/templates/template";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { timestampFromMs, timestampMs } from "../../platform/db/timestamp.ts";
import { effectiveTtlMs, newestBuild } from "../../platform/jobs/build-sql.ts";
import { hasFailed, hasSucceeded, jobStatus } from "../../platform/jobs/job-sql.ts";
import { deletionOf, lastDayMs } from "../workspaces/dormant-deletion.ts";
import type { ScheduledWorkspace } from "./plan.ts";
import type { RequiredStops } from "./required-stop.ts";

/** The number of workspaces that are selected at a time. */
const pageSize = 500;

/** The last use of a workspace `w`; creating it counts as use. */
const lastUse = sql<string>`coalesce(w.last_used_at, w.created_at)`;

/** The earliest beginning of a dormant workspace's last day, as in `deletionOf`. */
const lastDayDue = sql<string>`greatest(
  w.dormant_at + (t.time_til_dormant_autodelete_ms - ${lastDayMs}) * interval '1 millisecond',
  t.dormant_autodelete_set_at)`;

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
      .innerJoinLateral(newestBuild(sql.ref("w.id")).as("newest"), (join) => join.onTrue())
      .innerJoin("jobs as j", "j.id", "newest.job_id")
      .where("w.deleted", "=", sql.lit(false))
      // An unclaimed prebuild runs as long as its pool needs it.
      .where("w.owner_id", "<>", prebuildsUserId)
      .select([
        "w.id",
        "owner.status as owner_status",
        "w.dormant_at",
        "w.last_day_at",
        "t.time_til_dormant_autodelete_ms as template_time_til_dormant_autodelete_ms",
        "t.dormant_autodelete_set_at as template_dormant_autodelete_set_at",
        lastUse.as("last_use"),
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

/**
 * Yields the workspaces for which something may be due at `now`, page by page: a page of workspaces whose actions are
 * refused, and which therefore stay due, does not hold up those after it.
 */
export async function* selectDue(db: Queryable, now: number): AsyncGenerator<ScheduledWorkspace> {
  let after = nilUuid;
  for (;;) {
    const page = await selectDuePage(db, now, after);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = last.id;
  }
}

async function selectDuePage(
  db: Queryable,
  now: number,
  after: string,
): Promise<ScheduledWorkspace[]> {
  const time = timestampFromMs(now);
  const rows = await scheduled(db)
    .where("w.id", ">", after)
    .where("j.completed_at", "is not", null)
    .where((eb) =>
      eb.or([
        eb("w.next_start_at", "<=", time),
        eb.and([
          eb("newest.transition", "=", "start"),
          hasSucceeded("j"),
          eb.or([eb("newest.deadline", "<=", time), eb("w.dormant_at", "is not", null)]),
        ]),
        eb.and([
          eb("w.on_deadline", "=", "delete"),
          eb.not(eb.and([eb("newest.transition", "=", "start"), hasSucceeded("j")])),
          sql<boolean>`j.completed_at <= ${time}::timestamptz - ${effectiveTtlMs} * interval '1 millisecond'`,
        ]),
        eb.and([
          eb("w.dormant_at", "is", null),
          eb("t.time_til_dormant_ms", ">", 0),
          sql<boolean>`${lastUse} <= ${time}::timestamptz - t.time_til_dormant_ms * interval '1 millisecond'`,
        ]),
        eb.and([
          eb("w.dormant_at", "is not", null),
          eb("t.time_til_dormant_autodelete_ms", ">", 0),
          sql<boolean>`${lastDayDue} <= ${time}`,
          sql<boolean>`(w.last_day_at >= ${lastDayDue}
            and w.last_day_at > ${time}::timestamptz - ${lastDayMs} * interval '1 millisecond') is not true`,
        ]),
        eb.and([
          eb("newest.transition", "=", "start"),
          hasFailed("j"),
          eb("t.failure_ttl_ms", ">", 0),
          sql<boolean>`j.completed_at <= ${time}::timestamptz - t.failure_ttl_ms * interval '1 millisecond'`,
        ]),
      ]),
    )
    .orderBy("w.id")
    .limit(pageSize)
    .execute();
  return rows.map(read);
}

/** Reads the current state of one workspace. */
export async function selectScheduled(
  db: Queryable,
  workspaceId: string,
): Promise<ScheduledWorkspace | undefined> {
  const row = await scheduled(db).where("w.id", "=", workspaceId).executeTakeFirst();
  return row === undefined ? undefined : read(row);
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
 * Selects the templates that require stops, and locks their rules until the transaction ends, so that no workspace gets a
 * time from a rule that was just replaced.
 */
export async function selectRequiredStops(
  db: Queryable,
): Promise<readonly (RequiredStops & { readonly templateId: string })[]> {
  return db
    .selectFrom("templates as t")
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
