import type { BuildParameter, ProvisionerJob, WorkspaceResource } from "@slipway/api";

import { mayActFor, mayWriteTemplates } from "../auth/rights.ts";
import type { Database, Queryable } from "../db/database.ts";
import { inTransaction } from "../db/transaction.ts";
import type { UserCaller } from "../http/caller.ts";
import { HttpError, notFound } from "../http/errors.ts";
import { cancelJob } from "../jobs/cancel-service.ts";
import { createJob, readJob } from "../jobs/service.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import { insertDryRun, selectDryRun, selectPlan } from "./plan-queries.ts";
import { requireImported, requireVersion } from "./version-service.ts";

export interface NewDryRun {
  readonly versionId: string;
  readonly workspaceName: string;
  readonly parameters: readonly BuildParameter[];
}

/** Queues a dry run. What is wrong with its values is told by the job. */
export async function createDryRun(
  db: Database,
  pubsub: PubSub,
  caller: UserCaller,
  input: NewDryRun,
): Promise<ProvisionerJob> {
  const version = await requireImported(db, input.versionId);
  const id = await inTransaction(db, async (trx) => {
    const jobId = await createJob(trx, {
      type: "template_version_dry_run",
      organizationId: version.organization_id,
      initiatorId: caller.id,
      fileId: version.file_id,
      templateVersionId: version.id,
    });
    await insertDryRun(trx, { jobId, ...input });
    return jobId;
  });
  pubsub.publish(topics.jobQueue);
  return readJob(db, id);
}

/** A dry run of that version, if the caller may see it; throws the 404. */
export async function requireDryRun(
  db: Queryable,
  caller: UserCaller,
  versionId: string,
  jobId: string,
): Promise<ProvisionerJob> {
  const run = await selectDryRun(db, jobId);
  const mayRead =
    run?.template_version_id === versionId &&
    (mayActFor(caller, run.initiator_id) || mayWriteTemplates(caller));
  if (!mayRead) throw notFound();
  return readJob(db, jobId);
}

/** What a job has planned; throws 412 while it runs, and when it failed. */
export async function readPlan(db: Queryable, job: ProvisionerJob): Promise<WorkspaceResource[]> {
  if (job.status === "succeeded") return (await selectPlan(db, job.id)) ?? [];
  throw new HttpError(412, "The job has not succeeded.", {
    detail: `Its status is ${job.status}; its log says more.`,
  });
}

/** What a version plans, as its import saw it. */
export async function readVersionPlan(
  db: Queryable,
  versionId: string,
): Promise<WorkspaceResource[]> {
  const version = await requireVersion(db, versionId);
  return readPlan(db, await readJob(db, version.job_id));
}

/** Cancels an import or a dry run; throws 400 when it is over. */
export async function cancelTemplateJob(
  db: Database,
  pubsub: PubSub,
  jobId: string,
): Promise<void> {
  await inTransaction(db, (trx) => cancelJob(trx, jobId, undefined));
  pubsub.publish(topics.jobCancel(jobId));
  pubsub.publish(topics.job(jobId));
}
