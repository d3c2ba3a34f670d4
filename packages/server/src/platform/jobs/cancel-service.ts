import type { Transaction } from "kysely";

import type { DB } from "../db/gen/schema.ts";
import { Invalid, PreconditionFailed } from "../errors/errors.ts";
import { jobStatus } from "./job-json.ts";
import { lockJob, updateCanceled } from "./queries.ts";

/** The job states that a cancellation can expect. */
export type CancelableStatus = "pending" | "running";

/**
 * Marks a job as canceled. A pending job ends at once; a running one is stopped by its worker. Throws `Invalid` if it
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
