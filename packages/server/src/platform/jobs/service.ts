import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { JobStatus, ProvisionerJob } from "@slipway/api/jobs/job";
import type { Transaction } from "kysely";

import type { Queryable } from "../db/database.ts";
import type { DB } from "../db/gen/schema.ts";
import type { NewRows } from "../db/insert-rows.ts";
import { Invalid, PreconditionFailed } from "../errors/errors.ts";
import {
  endedJobRows,
  type InsertJob,
  type JobRow,
  lockJob,
  selectJobs,
  updateCanceled,
} from "./queries.ts";
import { tagsJson } from "./tags.ts";

/** Returns the rows of a job that completes within the transaction, with its log; no worker takes it. */
export function doneJob(
  jobId: string,
  input: InsertJob,
  { workerId, stage, lines }: DoneJob,
): readonly NewRows[] {
  const entry = { log_source: "provisioner", log_level: "info", stage } as const;
  return endedJobRows(
    jobId,
    input,
    workerId,
    lines.map((output) => ({ ...entry, output })),
  );
}

interface DoneJob {
  /** The worker on whose machine the job's result is. */
  readonly workerId: string | null;
  /** The heading of its log, and the lines below it; stock commands do not print the first. */
  readonly stage: string;
  readonly lines: readonly string[];
}

/** Reads jobs by id, as clients see them. */
export async function readJobs(
  db: Queryable,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, ProvisionerJob>> {
  if (jobIds.length === 0) return new Map();
  const rows = await selectJobs(db, jobIds);
  return new Map(rows.map((row) => [row.id, jobJson(row)]));
}

/** Reads one job, which must exist. */
export async function readJob(db: Queryable, jobId: string): Promise<ProvisionerJob> {
  const job = (await readJobs(db, [jobId])).get(jobId);
  if (job === undefined) throw new Error(`job ${jobId} does not exist`);
  return job;
}

/** Returns the job as clients see it. */
export function jobJson(row: JobRow): ProvisionerJob {
  return {
    id: row.id,
    created_at: row.created_at,
    ...(row.started_at === null ? {} : { started_at: row.started_at }),
    ...(row.completed_at === null ? {} : { completed_at: row.completed_at }),
    ...(row.canceled_at === null ? {} : { canceled_at: row.canceled_at }),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.error_code === null ? {} : { error_code: row.error_code }),
    status: jobStatus(row),
    ...(row.worker_id === null ? {} : { worker_id: row.worker_id }),
    file_id: row.file_id,
    tags: tagsJson(row.tags),
    queue_position: row.queue?.position ?? 0,
    queue_size: row.queue?.size ?? 0,
    organization_id: row.organization_id,
    initiator_id: row.initiator_id,
    input: {
      ...(row.template_version_id === null ? {} : { template_version_id: row.template_version_id }),
      ...(row.workspace_build_id === null ? {} : { workspace_build_id: row.workspace_build_id }),
    },
    type: row.type,
    metadata: {
      template_version_name: "",
      template_id: nilUuid,
      template_name: "",
      template_display_name: "",
      template_icon: "",
    },
    logs_overflowed: false,
  };
}

type JobTimes = Pick<JobRow, "started_at" | "canceled_at" | "completed_at" | "error">;

export function jobStatus(row: JobTimes): JobStatus {
  if (row.canceled_at !== null) return row.completed_at === null ? "canceling" : "canceled";
  if (row.completed_at !== null) return row.error === null ? "succeeded" : "failed";
  return row.started_at === null ? "pending" : "running";
}

/** The job states that a cancellation can expect. */
export type CancelableStatus = "pending" | "running";

/**
 * Marks a job as canceled. A pending job ends immediately; its worker stops a running one. Throws `Invalid` if it
 * has ended or is already marked, `PreconditionFailed` if it is not in the expected state. The caller hints at
 * `topics.jobCancel` and `topics.job` after its commit.
 */
export async function cancelJob(
  trx: Transaction<DB>,
  jobId: string,
  expected: CancelableStatus | undefined,
): Promise<void> {
  const job = await lockJob(trx, jobId);
  if (job.completed_at !== null) throw new Invalid("Job has already completed!");
  if (job.canceled_at !== null) throw new Invalid("Job has already been marked as canceled!");
  const status = jobStatus(job);
  if (expected !== undefined && status !== expected) {
    throw new PreconditionFailed(`Job is not in the expected state ${expected}.`, {
      detail: `It is ${status}.`,
    });
  }
  await updateCanceled(trx, jobId);
}
