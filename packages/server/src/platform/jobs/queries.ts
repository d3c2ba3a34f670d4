import type { JobLog, JobType } from "@slipway/api/jobs/job";
import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import { insertRows, type NewRows, transactionTime } from "../db/insert-rows.ts";
import { prepareQuery } from "../db/prepared-query.ts";
import type { LogRange } from "../fields/log-range.ts";
import { jobColumns } from "./job-sql.ts";
import { queuePlace } from "./queue-sql.ts";
import type { JobTags } from "./tags.ts";

/** The lease of a job, in seconds: without renewal, another worker takes it over after this time. */
export const leaseSeconds = 30;

/** A job in the hands of a worker. An older attempt of the same worker no longer counts. */
export interface JobHolder {
  readonly jobId: string;
  readonly workerId: string;
  readonly attempt: number;
}

export interface InsertJob {
  readonly type: JobType;
  readonly organizationId: string;
  readonly initiatorId: string;
  readonly fileId: string;
  readonly templateVersionId?: string;
  /** Only one open job per workspace: the constraint `jobs_one_running_per_workspace`. */
  readonly workspaceId?: string;
  /** The only worker that can run the job: the one on whose machine the workspace is. */
  readonly onlyWorkerId?: string;
  /** Only provisioners with all of these tags can run the job; if empty, only servers can. */
  readonly tags?: JobTags;
}

/** Enqueues a job. The caller hints at `topics.jobQueue` after its commit. */
export async function insertJob(db: Queryable, input: InsertJob): Promise<string> {
  const row = await db
    .insertInto("jobs")
    .values({
      ...newJobColumns(input),
      template_version_id: input.templateVersionId ?? null,
      only_worker_id: input.onlyWorkerId ?? null,
      tags: { ...input.tags },
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Returns the rows of a job for a worker to take. The caller hints at `topics.jobQueue` after its commit. */
export function queuedJobRows(jobId: string, input: InsertJob): readonly NewRows[] {
  const job = {
    id: jobId,
    ...newJobColumns(input),
    only_worker_id: input.onlyWorkerId ?? null,
    tags: { ...input.tags },
  };
  return [{ table: "jobs", rows: [job] }];
}

/** Returns the columns of every new job. */
function newJobColumns(input: InsertJob) {
  return {
    type: input.type,
    organization_id: input.organizationId,
    initiator_id: input.initiatorId,
    file_id: input.fileId,
    workspace_id: input.workspaceId ?? null,
  };
}

/**
 * Returns the rows of a job that completes within the transaction, on the machine of `workerId`, with its one log line.
 */
export function endedJobRows(
  jobId: string,
  input: InsertJob,
  workerId: string | null,
  logs: readonly NewJobLog[],
): readonly NewRows[] {
  const job = {
    id: jobId,
    ...newJobColumns(input),
    worker_id: workerId,
    started_at: transactionTime,
    completed_at: transactionTime,
    tags: { ...input.tags },
  };
  return [
    { table: "jobs", rows: [job] },
    { table: "job_logs", rows: logs.map((log) => ({ ...log, job_id: jobId })) },
  ];
}

/** A lease to renew. */
export interface Renewal extends JobHolder {
  readonly seconds: number;
}

/**
 * The result of a renewal. A job that another transaction is changing is `locked`: its lease is not renewed, and the next
 * attempt shows whether it still belongs to its holder.
 */
export type RenewedLease = "renewed" | "canceled" | "locked";

/**
 * Renews leases; resolves to the results by the jobs' ids, without those that no longer belong to their holders. Waits for no
 * lock, so that one job delays the renewal of no other.
 */
export async function renewLeases(
  db: Queryable,
  renewals: readonly Renewal[],
): Promise<ReadonlyMap<string, RenewedLease>> {
  const column = <T>(read: (one: Renewal) => T): readonly T[] => renewals.map(read);
  const isHeld = sql`job.id = asked.id and job.worker_id = asked.worker_id
    and job.attempt = asked.attempt and job.completed_at is null`;
  const { rows } = await sql<{ readonly id: string; readonly result: RenewedLease }>`
    with asked as (
      select * from unnest(
          ${column((one) => one.jobId)}::uuid[], ${column((one) => one.workerId)}::uuid[],
          ${column((one) => one.attempt)}::integer[], ${column((one) => one.seconds)}::float[]
        ) as asked (id, worker_id, attempt, seconds)),
    -- A line of a job's log also locks its row, but hinders no renewal.
    free as (
      select job.id, asked.seconds from asked join jobs job on ${isHeld}
        for no key update of job skip locked),
    renewed as (
      update jobs set lease_until = now() + make_interval(secs => free.seconds)
        from free where jobs.id = free.id
        returning jobs.id, jobs.canceled_at)
    select job.id, case
        when renewed.id is null then 'locked'
        when renewed.canceled_at is null then 'renewed'
        else 'canceled' end as result
      from asked join jobs job on ${isHeld} left join renewed on renewed.id = job.id`.execute(db);
  return new Map(rows.map(({ id, result }) => [id, result]));
}

/** Renews one lease, after another transaction that changes the job; resolves to false if it no longer belongs to its holder. */
export async function renewLease(
  db: Queryable,
  { jobId, workerId, attempt, seconds }: Renewal,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("jobs")
    .set({ lease_until: sql`now() + make_interval(secs => ${seconds})` })
    .where("id", "=", jobId)
    .where("worker_id", "=", workerId)
    .where("attempt", "=", attempt)
    .where("completed_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function selectIsCanceled(db: Queryable, jobId: string): Promise<boolean> {
  const row = await db
    .selectFrom("jobs")
    .where("id", "=", jobId)
    .select("canceled_at")
    .executeTakeFirst();
  return row !== undefined && row.canceled_at !== null;
}

/** Marks a job as canceled; one that has not started ends immediately. */
export async function updateCanceled(db: Queryable, jobId: string): Promise<void> {
  await db
    .updateTable("jobs")
    .set({
      canceled_at: sql`now()`,
      updated_at: sql`now()`,
      completed_at: sql`case when started_at is null then now() end`,
    })
    .where("id", "=", jobId)
    .execute();
}

/** Reads the state of a job and locks it until the transaction ends. */
export function lockJob(db: Queryable, jobId: string) {
  return db
    .selectFrom("jobs")
    .where("id", "=", jobId)
    .select(["started_at", "canceled_at", "completed_at", "error"])
    .forUpdate()
    .executeTakeFirstOrThrow();
}

export interface JobEnd extends JobHolder {
  readonly error: string | undefined;
}

/**
 * Ends a job; returns false if it no longer belongs to this worker, in which case the caller must roll back. A job that
 * succeeded before it could be canceled counts as succeeded.
 */
export async function completeJob(db: Queryable, end: JobEnd): Promise<boolean> {
  const { jobId, workerId, attempt, error } = end;
  return (await completedJobs(db, jobId, workerId, attempt, error ?? null)).length === 1;
}

const completedJobs = prepareQuery(
  (_, jobId: string, workerId: string, attempt: number, error: string | null) => sql<{
    readonly id: string;
  }>`
    update jobs set completed_at = now(), updated_at = now(), error = ${error}::text,
        canceled_at = case when ${error}::text is null then null else canceled_at end
      where id = ${jobId} and worker_id = ${workerId} and attempt = ${attempt}
        and completed_at is null
      returning id`,
);

export type NewJobLog = Pick<JobLog, "log_source" | "log_level" | "stage" | "output">;

export async function insertJobLogs(
  db: Queryable,
  jobId: string,
  logs: readonly NewJobLog[],
): Promise<void> {
  await insertRows(db, [
    { table: "job_logs", rows: logs.map((log) => ({ ...log, job_id: jobId })) },
  ]);
}

/** The maximum number of log lines per read. */
export const maxLogsPerRead = 500;

export function selectJobLogs(db: Queryable, jobId: string, { after, before }: LogRange) {
  return db
    .selectFrom("job_logs")
    .where("job_id", "=", jobId)
    .where("id", ">", after)
    .$if(before !== undefined, (logs) => logs.where("id", "<", before ?? 0))
    .orderBy("id")
    .limit(maxLogsPerRead)
    .select(["id", "created_at", "log_source", "log_level", "stage", "output"])
    .execute();
}

export async function isJobComplete(db: Queryable, jobId: string): Promise<boolean> {
  const row = await db
    .selectFrom("jobs")
    .where("id", "=", jobId)
    .select("completed_at")
    .executeTakeFirst();
  return row === undefined || row.completed_at !== null;
}

/** Reads the columns for the JSON of jobs. */
export function selectJobs(db: Queryable, jobIds: readonly string[]) {
  return db
    .selectFrom("jobs as job")
    .where("job.id", "in", jobIds)
    .leftJoin("workspace_builds as build", "build.job_id", "job.id")
    .select([...jobColumns, "build.id as workspace_build_id"])
    .select(queuePlace("job").as("queue"))
    .execute();
}

export type JobRow = Awaited<ReturnType<typeof selectJobs>>[number];
