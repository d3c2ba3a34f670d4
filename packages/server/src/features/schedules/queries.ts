import { prebuildsUserId } from "@slipway/api";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { timestampFromMs, timestampMs } from "../../platform/db/timestamp.ts";
import type { ScheduledWorkspace } from "./plan.ts";

/** The most workspaces that one pass selects; the next pass selects the rest. */
const maxPerLook = 500;

function scheduled(db: Queryable) {
  return (
    db
      .selectFrom("workspaces as w")
      .innerJoin("users as owner", "owner.id", "w.owner_id")
      .innerJoinLateral(
        ({ selectFrom }) =>
          selectFrom("workspace_builds as b")
            .innerJoin("jobs as j", "j.id", "b.job_id")
            .whereRef("b.workspace_id", "=", "w.id")
            .orderBy("b.build_number", "desc")
            .limit(1)
            .select(["b.transition", "b.deadline", "j.completed_at", "j.error", "j.canceled_at"])
            .as("newest"),
        (join) => join.onTrue(),
      )
      .where("w.deleted", "=", sql.lit(false))
      // An unclaimed prebuild runs as long as its pool wants it.
      .where("w.owner_id", "<>", prebuildsUserId)
      .select([
        "w.id",
        "owner.status as owner_status",
        "w.dormant_at",
        "w.autostart_schedule",
        "w.next_start_at",
        "newest.transition",
        "newest.deadline",
        "newest.completed_at",
        "newest.error",
        "newest.canceled_at",
      ])
  );
}

type Row = Awaited<ReturnType<ReturnType<typeof scheduled>["execute"]>>[number];

/** Selects the workspaces for which something may be due at `now`. */
export async function selectDue(db: Queryable, now: number): Promise<ScheduledWorkspace[]> {
  const time = timestampFromMs(now);
  const rows = await scheduled(db)
    .where("newest.completed_at", "is not", null)
    .where((eb) =>
      eb.or([
        eb("w.next_start_at", "<=", time),
        eb.and([
          eb("newest.transition", "=", "start"),
          eb("newest.error", "is", null),
          eb.or([eb("newest.deadline", "<=", time), eb("w.dormant_at", "is not", null)]),
        ]),
      ]),
    )
    .orderBy("w.id")
    .limit(maxPerLook)
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
  const ended = row.error === null && row.canceled_at === null ? "succeeded" : "failed";
  return {
    id: row.id,
    ownerIsActive: row.owner_status !== "suspended",
    isDormant: row.dormant_at !== null,
    autostart: row.autostart_schedule ?? undefined,
    nextStartAt: msOf(row.next_start_at),
    build: {
      transition: row.transition,
      job: row.completed_at === null ? "open" : ended,
      deadline: msOf(row.deadline),
    },
  };
}

function msOf(time: string | null): number | undefined {
  return time === null ? undefined : timestampMs(time);
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
