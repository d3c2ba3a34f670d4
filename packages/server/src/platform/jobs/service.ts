import type { ProvisionerJob } from "@slipway/api/jobs/job";

import type { Queryable } from "../db/database.ts";
import type { NewRows } from "../db/insert-rows.ts";
import { jobJson } from "./job-json.ts";
import { endedJobRows, type InsertJob, selectJobs } from "./queries.ts";

/** Returns the rows of a job that completes within the transaction, with its log; no worker takes it. */
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
  /** The worker on whose machine the job's result is. */
  readonly workerId: string | null;
  /** The heading of its log, and the one line below it. */
  readonly stage: string;
  readonly line: string;
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
