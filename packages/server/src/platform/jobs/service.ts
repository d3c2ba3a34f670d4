import type { ProvisionerJob } from "@slipway/api";

import type { Queryable } from "../db/database.ts";
import type { NewRows } from "../db/insert-rows.ts";
import { jobJson } from "./job-json.ts";
import { endedJobRows, type InsertJob, insertJob, type JobRow, selectJobs } from "./queries.ts";

/** Puts a job in the queue. The caller hints at `topics.jobQueue` after its commit. */
export async function createJob(db: Queryable, input: InsertJob): Promise<string> {
  return insertJob(db, input);
}

/** The rows of a job that is done with the transaction, with what it has to say; nobody takes it any more. */
export function doneJob(
  jobId: string,
  input: InsertJob,
  { workerId, stage, line }: DoneJob,
): readonly NewRows[] {
  return endedJobRows(jobId, input, workerId, {
    log_source: "provisioner",
    log_level: "info",
    stage,
    output: line,
  });
}

export interface DoneJob {
  /** The worker on whose machine what it did stands. */
  readonly workerId: string | null;
  /** The headline of its log, and the one line under it. */
  readonly stage: string;
  readonly line: string;
}

/** A job that was read with what it is of, as clients see it. */
export function describeJob(row: JobRow): ProvisionerJob {
  return jobJson(row);
}

/** The jobs of those ids, as clients see them. */
export async function readJobs(
  db: Queryable,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, ProvisionerJob>> {
  if (jobIds.length === 0) return new Map();
  const rows = await selectJobs(db, jobIds);
  return new Map(rows.map((row) => [row.id, jobJson(row)]));
}

/** One job, which must exist. */
export async function readJob(db: Queryable, jobId: string): Promise<ProvisionerJob> {
  const job = (await readJobs(db, [jobId])).get(jobId);
  if (job === undefined) throw new Error(`job ${jobId} does not exist`);
  return job;
}
