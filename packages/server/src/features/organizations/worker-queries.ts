import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

/** A server as it announces itself. */
export interface Worker {
  /** The id under which it takes jobs. */
  readonly id: string;
  /** The name of the host. */
  readonly name: string;
  readonly version: string;
  readonly drivers: readonly string[];
}

export async function upsertWorker(db: Queryable, worker: Worker): Promise<void> {
  const { id, name, version } = worker;
  const row = { name, version, drivers: [...worker.drivers], last_seen_at: sql<string>`now()` };
  await db
    .insertInto("workers")
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
    .execute();
}

/** Deletes the workers not heard from for `days` days. */
export async function deleteLostWorkers(db: Queryable, days: number): Promise<void> {
  await db
    .deleteFrom("workers")
    .where("last_seen_at", "<", sql<string>`now() - make_interval(days => ${days})`)
    .execute();
}

/** Selects workers, most recently seen first, each with its newest open job and the one that ended last. */
export function selectWorkers(db: Queryable, offlineSeconds: number) {
  return db
    .selectFrom("workers as worker")
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom("jobs")
          .whereRef("worker_id", "=", "worker.id")
          .where("completed_at", "is", null)
          .orderBy("started_at", "desc")
          .limit(1)
          .select("id")
          .as("present"),
      (join) => join.onTrue(),
    )
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom("jobs")
          .whereRef("worker_id", "=", "worker.id")
          .where("completed_at", "is not", null)
          .orderBy("completed_at", "desc")
          .limit(1)
          .select("id")
          .as("previous"),
      (join) => join.onTrue(),
    )
    .orderBy("worker.last_seen_at", "desc")
    .orderBy("worker.id")
    .select([
      "worker.id",
      "worker.name",
      "worker.version",
      "worker.drivers",
      "worker.created_at",
      "worker.last_seen_at",
      "present.id as present_job_id",
      "previous.id as previous_job_id",
      sql<number>`extract(epoch from now() - worker.last_seen_at)::float8`.as("age_seconds"),
      sql<boolean>`worker.last_seen_at < now() - make_interval(secs => ${offlineSeconds})`.as(
        "is_offline",
      ),
    ])
    .execute();
}

export type WorkerRow = Awaited<ReturnType<typeof selectWorkers>>[number];
