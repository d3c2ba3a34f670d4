import { maxCountedJobs } from "@slipway/api/jobs/job";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { type RawBuilder, sql } from "kysely";

/** The place of a pending job in its queue. */
export interface QueuePlace {
  /** 1 is the next job. */
  readonly position: number;
  readonly size: number;
}

/**
 * Returns the place of a pending job, as JSON; null for another job. `job` is the alias of its table. The queue of a job
 * contains the pending jobs that every worker for it also takes, in the order of `acquireJob`; others may delay it only if
 * its worker serves them, too. At most `maxCountedJobs` are counted before it, and as many after it.
 */
export function queuePlace(job: string): RawBuilder<QueuePlace | null> {
  const column = (name: string): RawBuilder<unknown> => sql.ref(`${job}.${name}`);
  const before = sql`select from jobs other where ${isInQueueOf(job)} and ${order("other")} < ${order(job)}`;
  const after = sql`select from jobs other where ${isInQueueOf(job)} and ${order("other")} > ${order(job)}`;
  return sql`(case when ${column("started_at")} is null and ${column("completed_at")} is null then (
    select json_build_object('position', place.before + 1, 'size', place.before + 1 + place.after)
      from (select (${countOf(before)}) as before, (${countOf(after)}) as after) place) end)`;
}

function isInQueueOf(job: string): RawBuilder<boolean> {
  const [tags, organization, worker] = ["tags", "organization_id", "only_worker_id"].map((name) =>
    sql.ref(`${job}.${name}`),
  );
  return sql<boolean>`other.completed_at is null and other.started_at is null
    and other.tags <@ ${tags}
    and (${tags} = '{}' or other.tags <> '{}' and other.organization_id = ${organization})
    and (other.only_worker_id is null or other.only_worker_id = ${worker})`;
}

/** Returns the columns of the index `jobs_queue`, and the id. */
function order(job: string): RawBuilder<unknown> {
  const column = (name: string): RawBuilder<unknown> => sql.ref(`${job}.${name}`);
  const isOfSystem = sql`${column("initiator_id")} = ${sql.lit(prebuildsUserId)}`;
  return sql`((${isOfSystem}), ${column("created_at")}, ${column("id")})`;
}

function countOf(jobs: RawBuilder<unknown>): RawBuilder<number> {
  return sql`select count(*)::int from (${jobs} limit ${sql.lit(maxCountedJobs)}) counted`;
}
