import type { ProvisionerJob } from "@slipway/api";

import type { Queryable } from "../db/database.ts";
import { jobJson } from "./job-json.ts";
import { type InsertJob, insertJob, selectJobs } from "./queries.ts";

/** Puts a job in the queue. The caller hints at `topics.jobQueue` after its commit. */
export async function createJob(db: Queryable, input: InsertJob): Promise<string> {
  return insertJob(db, input);
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
