import type { BuildParameter, ProvisionerJob, WorkspaceResource } from "@slipway/api";
import { resolveParameters, type TemplateDefinition } from "@slipway/template";
import type { Transaction } from "kysely";

import { mayActFor, mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Limits } from "../../platform/config/limits.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { invalidFields, notFound, PreconditionFailed } from "../../platform/errors/errors.ts";
import { LimitReached } from "../../platform/errors/limit-reached.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { cancelJob } from "../../platform/jobs/cancel-service.ts";
import { insertJob } from "../../platform/jobs/queries.ts";
import { readJob } from "../../platform/jobs/service.ts";
import { topics, type PubSub } from "../../platform/pubsub/pubsub.ts";
import { lockUser } from "../users/lock-service.ts";
import {
  countOpenDryRuns,
  deleteOldDryRuns,
  insertDryRun,
  selectDryRun,
  selectPlan,
} from "./plan-queries.ts";
import { requireImported, requireVersion } from "./version-service.ts";

export interface NewDryRun {
  readonly versionId: string;
  readonly workspaceName: string;
  readonly parameters: readonly BuildParameter[];
}

export interface DryRunNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly limits: Pick<Limits, "maxDryRunsPerUser">;
}

/** The number of ended dry runs kept for one user; an older one is removed when another begins. */
const keptPerUser = 20;

/** Queues a dry run; throws `Invalid` for invalid values, and `LimitReached` for a user who has too many open. */
export async function createDryRun(
  { db, pubsub, limits }: DryRunNeeds,
  caller: UserCaller,
  input: NewDryRun,
): Promise<ProvisionerJob> {
  const version = await requireImported(db, input.versionId);
  requireFitting(version.definition, input.parameters);
  const job = await inTransaction(db, async (trx) => {
    await requireFewerDryRuns(trx, limits, caller);
    await deleteOldDryRuns(trx, caller.id, keptPerUser - 1);
    const jobId = await insertJob(trx, {
      type: "template_version_dry_run",
      organizationId: version.organization_id,
      initiatorId: caller.id,
      fileId: version.file_id,
      templateVersionId: version.id,
    });
    await insertDryRun(trx, { jobId, ...input });
    return readJob(trx, jobId);
  });
  pubsub.publish(topics.jobQueue);
  return job;
}

function requireFitting(definition: TemplateDefinition, given: readonly BuildParameter[]): void {
  const resolved = resolveParameters(definition, { given });
  if ("values" in resolved) return;
  throw invalidFields(resolved.problems.map(({ field, message }) => ({ field, detail: message })));
}

async function requireFewerDryRuns(
  trx: Transaction<DB>,
  { maxDryRunsPerUser: max }: DryRunNeeds["limits"],
  { id, username }: UserCaller,
): Promise<void> {
  await lockUser(trx, id);
  const count = await countOpenDryRuns(trx, id);
  if (count < max) return;
  throw new LimitReached({
    name: "maxDryRunsPerUser",
    isTemporary: true,
    limit: `${max} dry runs at once per user`,
    used: `${username} has ${count} queued or running`,
    advice: "Wait until one has finished.",
  });
}

/** Reads a dry run of that version, if the caller may see it; throws `NotFound`. */
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

/** Reads the plan of a job; throws `PreconditionFailed` while it runs, and when it failed. */
export async function readPlan(db: Queryable, job: ProvisionerJob): Promise<WorkspaceResource[]> {
  if (job.status === "succeeded") return (await selectPlan(db, job.id)) ?? [];
  throw new PreconditionFailed("The job has not succeeded.", {
    detail: `Its status is ${job.status}. See its log for details.`,
  });
}

/** Reads the plan of a version from its import. */
export async function readVersionPlan(
  db: Queryable,
  versionId: string,
): Promise<WorkspaceResource[]> {
  const version = await requireVersion(db, versionId);
  return readPlan(db, await readJob(db, version.job_id));
}

/** Cancels an import or a dry run; throws `Invalid` when it is over. */
export async function cancelTemplateJob(
  db: Database,
  pubsub: PubSub,
  jobId: string,
): Promise<void> {
  await inTransaction(db, (trx) => cancelJob(trx, jobId, undefined));
  pubsub.publish(topics.jobCancel(jobId));
  pubsub.publish(topics.job(jobId));
}
