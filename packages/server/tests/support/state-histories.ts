import type { Transition } from "@slipway/api/builds/resource";
import fc from "fast-check";
import { sql } from "kysely";

import { lockWorkspace } from "../../src/features/builds/lock-service.ts";
import { nextActionAt } from "../../src/features/schedules/plan.ts";
import { selectDue, selectScheduled, updateDue } from "../../src/features/schedules/queries.ts";
import type { Database } from "../../src/platform/db/database.ts";
import { timestampFromMs } from "../../src/platform/db/timestamp.ts";
import { inTransaction } from "../../src/platform/db/transaction.ts";
import { buildStatus, newestBuild } from "../../src/platform/jobs/build-sql.ts";
import { type JobState, seedBuild, type SeededWorkspace, setJob } from "./rows.ts";

/* Random histories of workspaces, for tests of the rows that follow them (migration 0066). */

/** A change that some part of the server makes. `target` chooses a workspace, `at` a name, a user or a time. */
export interface Change {
  readonly kind: keyof typeof changes;
  readonly target: number;
  readonly at: number;
  readonly flag: boolean;
}

/** The workspaces of a history, the users who may own them, and their template. */
export interface Stage {
  readonly db: Database;
  readonly workspaces: readonly SeededWorkspace[];
  readonly userIds: readonly string[];
}

interface Place {
  readonly stage: Stage;
  readonly workspace: SeededWorkspace;
  readonly time: string;
  readonly flag: boolean;
  readonly at: number;
}

const columnOf =
  (table: "workspaces" | "templates", column: string, valueOf: (place: Place) => unknown) =>
  async (place: Place): Promise<void> => {
    const { stage, workspace } = place;
    const id = table === "workspaces" ? sql`${workspace.workspaceId}` : ofTemplate(workspace);
    await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${valueOf(place)}
      where id = ${id}`.execute(stage.db);
  };

const named = ({ at, workspace }: Place): string => `Name-${at}-${workspace.workspaceId}`;
const flagged = ({ flag }: Place): boolean => flag;
const timed = ({ flag, time }: Place): string | null => (flag ? time : null);
const lasting = ({ flag, at }: Place): number => (flag ? at * 60_000 : 0);

const ofTemplate = ({ workspaceId }: SeededWorkspace) =>
  sql`(select template_id from workspaces where id = ${workspaceId})`;

/** Builds a workspace once more, as far as its last build is over, in one transaction with another change. */
const building =
  (transition: Transition, job: JobState) =>
  async (place: Place): Promise<void> => {
    const { stage, workspace, flag } = place;
    await inTransaction(stage.db, async (trx) => {
      await lockWorkspace(trx, workspace.workspaceId);
      const { rows } = await sql<{ readonly open: boolean; readonly number: number }>`
        select coalesce(max(build_number), 0) + 1 as number,
            coalesce(bool_or(j.completed_at is null), false) as open
          from workspace_builds b join jobs j on j.id = b.job_id
          where b.workspace_id = ${workspace.workspaceId}`.execute(trx);
      const [newest] = rows;
      if (newest === undefined || newest.open) return;
      if (flag)
        await sql`update workspaces set name = ${named(place)}
          where id = ${workspace.workspaceId}`.execute(trx);
      await seedBuild(trx, workspace, { number: newest.number, transition, job });
    });
  };

const endingAs =
  (state: JobState) =>
  async ({ stage: { db }, workspace }: Place): Promise<void> => {
    const { rows } = await sql<{ readonly id: string }>`
      select id from jobs where workspace_id = ${workspace.workspaceId} and completed_at is null`.execute(
      db,
    );
    for (const { id } of rows) await setJob(db, id, state);
  };

const changes = {
  start: building("start", "pending"),
  claim: building("start", "succeeded"),
  stop: building("stop", "running"),
  delete: building("delete", "pending"),
  run: endingAs("running"),
  succeed: endingAs("succeeded"),
  fail: endingAs("failed"),
  cancel: async ({ stage: { db }, workspace }: Place) => {
    await sql`update jobs set canceled_at = now(), completed_at = case when started_at is null then now() end
      where workspace_id = ${workspace.workspaceId} and completed_at is null`.execute(db);
  },
  give: async ({ stage: { db, userIds }, workspace, at }: Place) => {
    await sql`update workspaces set owner_id = ${userIds[at % userIds.length]}
      where id = ${workspace.workspaceId}`.execute(db);
  },
  renameUser: async ({ stage: { db, userIds }, at }: Place) => {
    await sql`update users set username = ${`Person-${at}-`} || left(id::text, 8)
      where id = ${userIds[at % userIds.length]}`.execute(db);
  },
  suspend: async ({ stage: { db, userIds }, at, flag }: Place) => {
    await sql`update users set status = ${flag ? "suspended" : "active"}
      where id = ${userIds[at % userIds.length]}`.execute(db);
  },
  deadline: async (place: Place) => {
    const { workspaceId } = place.workspace;
    await sql`update workspace_builds set deadline = ${timed(place)}
      where workspace_id = ${workspaceId} and build_number = (
        select max(build_number) from workspace_builds where workspace_id = ${workspaceId})`.execute(
      place.stage.db,
    );
  },
  rename: columnOf("workspaces", "name", named),
  drop: columnOf("workspaces", "deleted", () => true),
  bringBack: columnOf("workspaces", "deleted", () => false),
  sleep: columnOf("workspaces", "dormant_at", timed),
  use: async ({ stage: { db }, workspace, time }: Place) => {
    await sql`update workspaces set last_used_at = greatest(last_used_at, ${time}::timestamptz)
      where id = ${workspace.workspaceId}`.execute(db);
  },
  schedule: columnOf("workspaces", "next_start_at", timed),
  live: columnOf("workspaces", "ttl_ms", (place) => lasting(place) || null),
  end: columnOf("workspaces", "on_deadline", ({ flag }) => (flag ? "delete" : "stop")),
  ruleOfLife: columnOf("templates", "default_ttl_ms", lasting),
  ruleOfChoice: columnOf("templates", "allow_user_autostop", flagged),
  ruleOfFailure: columnOf("templates", "failure_ttl_ms", lasting),
  ruleOfDormancy: columnOf("templates", "time_til_dormant_ms", lasting),
  ruleOfDeletion: columnOf("templates", "time_til_dormant_autodelete_ms", lasting),
  look: async ({ stage: { db } }: Place) => {
    for await (const page of selectDue(db, Date.now())) {
      await updateDue(
        db,
        page.map((due) => ({ due, at: nextLook(nextActionAt(due.workspace)) })),
      );
    }
  },
} as const satisfies Readonly<Record<string, (place: Place) => Promise<void>>>;

const isKind = (name: string): name is keyof typeof changes => Object.hasOwn(changes, name);
const kinds = Object.keys(changes).filter(isKind);

/** From 1970 to the year 8307: never an infinity. */
const nextLook = (time: number): number => Math.max(0, Math.min(time, 2e14));

/** Changes of any kind to any workspace, in the order in which they begin. */
export const histories: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.record({
    kind: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(...kinds),
      },
      { weight: 3, arbitrary: fc.constantFrom("look", "claim", "deadline") },
    ),
    target: fc.nat({ max: 99 }),
    at: fc.integer({ min: 1, max: 200 }),
    flag: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

/** Gives workspaces and their template the settings of new ones, and ends their builds. */
async function reset({ db }: Stage): Promise<void> {
  await sql`update templates set default_ttl_ms = 0, failure_ttl_ms = 0, time_til_dormant_ms = 0,
    time_til_dormant_autodelete_ms = 0, allow_user_autostop = true`.execute(db);
  await sql`update workspaces set deleted = false, dormant_at = null, next_start_at = null, ttl_ms = null,
    last_used_at = null, on_deadline = 'stop'`.execute(db);
  await sql`update workspace_builds set deadline = null`.execute(db);
  await sql`update jobs set completed_at = now() where completed_at is null`.execute(db);
}

/** Makes the changes, `together` at a time, to workspaces that begin like new ones. */
export async function play(
  stage: Stage,
  history: readonly Change[],
  together: number,
): Promise<void> {
  await reset(stage);
  const waiting = [...history];
  const playRest = async (): Promise<void> => {
    for (let change = waiting.shift(); change !== undefined; change = waiting.shift()) {
      const workspace = stage.workspaces[change.target % stage.workspaces.length];
      if (workspace === undefined) throw new RangeError("a stage has workspaces");
      const time = timestampFromMs(Date.now() + (change.at - 20) * 60_000);
      await changes[change.kind]({ stage, workspace, time, at: change.at, flag: change.flag });
    }
  };
  await Promise.all(Array.from({ length: together }, playRest));
}

/** Selects the ids of the workspaces whose rows differ from what their builds, jobs and owners say. */
export async function selectDifferences(db: Database): Promise<readonly string[]> {
  const derived = sql`
    select w.id, w.owner_id, lower(u.username), lower(w.name), w.deleted, newest.id as build_id,
        newest.template_version_id, ${buildStatus("newest", "j")}
      from workspaces w join users u on u.id = w.owner_id
        cross join lateral ${newestBuild(sql`w.id`)} newest
        join jobs j on j.id = newest.job_id`;
  const kept = sql`
    select workspace_id, owner_id, owner_name, name, deleted, build_id, template_version_id, status
      from workspace_states`;
  const { rows } = await sql<{ readonly id: string }>`
    select distinct id from ((${derived} except ${kept}) union all (${kept} except ${derived})) difference`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}

/** Selects the ids of the workspaces that the scheduler would look at only after their next action is due. */
export async function selectMissed({ db, workspaces }: Stage): Promise<readonly string[]> {
  const missed: string[] = [];
  for (const { workspaceId } of workspaces) {
    const workspace = await selectScheduled(db, workspaceId);
    if (workspace === undefined) continue;
    const next = timestampFromMs(nextLook(nextActionAt(workspace)));
    const late = await db
      .selectFrom("workspace_states")
      .where("workspace_id", "=", workspaceId)
      .where("due_at", ">", next)
      .select("workspace_id")
      .executeTakeFirst();
    if (late !== undefined) missed.push(workspaceId);
  }
  return missed;
}
