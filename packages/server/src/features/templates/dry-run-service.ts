import type { BuildParameter } from "@slipway/api/builds/build";
import type { ProvisionerJob } from "@slipway/api/jobs/job";
import { type NamedValue, resolveParameters, type TemplateDefinition } from "@slipway/template";
import { sql, type Transaction } from "kysely";

import { mayActFor, mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Limits } from "../../platform/config/limits.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { invalidFields, notFound } from "../../platform/errors/errors.ts";
import { LimitReached } from "../../platform/errors/limit-reached.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { insertJob } from "../../platform/jobs/queries.ts";
import { cancelJob, readJob } from "../../platform/jobs/service.ts";
import type { Platform } from "../../platform/platform.ts";
import { type PubSub, topics } from "../../platform/pubsub/pubsub.ts";
import { lockUser } from "../users/lock-service.ts";
import { jobTags } from "./job-tags-service.ts";
import { type ParameterReader, readForStart } from "./parameter-service.ts";
import { requireImported } from "./version-service.ts";

interface NewDryRun {
  readonly versionId: string;
  readonly workspaceName: string;
  readonly parameters: readonly BuildParameter[];
}

export interface DryRunNeeds extends Pick<Platform, "db" | "pubsub"> {
  readonly limits: Pick<Limits, "maxDryRunsPerUser">;
  readonly parameters: Pick<ParameterReader, "read">;
}

/** The number of ended dry runs kept for one user; an older one is removed when another begins. */
const keptPerUser = 20;

/**
 * Queues a dry run; throws `Invalid` for invalid values, and `LimitReached` for a user who has too many open. `wait` runs a task
 * that may take seconds.
 */
export async function createDryRun(
  { db, pubsub, limits, parameters: reader }: DryRunNeeds,
  caller: UserCaller,
  input: NewDryRun,
  wait: <T>(task: (signal: AbortSignal) => Promise<T>) => Promise<T>,
): Promise<ProvisionerJob> {
  const version = await requireImported(db, input.versionId);
  const values = Object.fromEntries(input.parameters.map(({ name, value }) => [name, value]));
  const question = { version, ownerId: caller.id, values };
  const { parameters } = await wait((signal) => readForStart(reader, caller.id, question, signal));
  requireFitting({ ...version.definition, parameters }, input.parameters);
  const job = await inTransaction(db, async (trx) => {
    await requireFewerDryRuns(trx, limits, caller);
    await deleteOldDryRuns(trx, caller.id, keptPerUser - 1);
    const jobId = await insertJob(trx, {
      type: "template_version_dry_run",
      organizationId: version.organization_id,
      initiatorId: caller.id,
      fileId: version.file_id,
      templateVersionId: version.id,
      tags: jobTags(version, input.parameters),
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

interface InsertDryRun {
  readonly jobId: string;
  readonly versionId: string;
  readonly workspaceName: string;
  readonly parameters: readonly NamedValue[];
}

async function insertDryRun(db: Queryable, input: InsertDryRun): Promise<void> {
  await db
    .insertInto("template_version_dry_runs")
    .values({
      job_id: input.jobId,
      template_version_id: input.versionId,
      workspace_name: input.workspaceName,
      parameters: JSON.stringify(input.parameters),
    })
    .execute();
}

/** Counts a user's dry runs that have not ended. */
async function countOpenDryRuns(db: Queryable, userId: string): Promise<number> {
  const row = await db
    .selectFrom("jobs")
    .where("type", "=", sql.lit("template_version_dry_run"))
    .where("initiator_id", "=", userId)
    .where("completed_at", "is", null)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Removes the ended dry runs of a user except for the newest, with their logs and plans. */
async function deleteOldDryRuns(db: Queryable, userId: string, kept: number): Promise<void> {
  await sql`delete from jobs where id in (
    select id from jobs
      where type = 'template_version_dry_run' and initiator_id = ${userId} and completed_at is not null
      order by created_at desc offset ${kept})`.execute(db);
}

/** Selects a dry run, with everything that its texts may reference. */
export function selectDryRun(db: Queryable, jobId: string): Promise<DryRunRow | undefined> {
  return dryRuns(db).where("run.job_id", "=", jobId).executeTakeFirst();
}

function dryRuns(db: Queryable) {
  return (
    db
      .selectFrom("template_version_dry_runs as run")
      .innerJoin("jobs as job", "job.id", "run.job_id")
      .innerJoin("users as u", "u.id", "job.initiator_id")
      .innerJoin("template_versions as v", "v.id", "run.template_version_id")
      .leftJoin("templates as t", "t.id", "v.template_id")
      .select([
        "run.template_version_id",
        "run.workspace_name",
        "job.initiator_id",
        "job.created_at",
        "u.username",
        "u.name as user_name",
        "u.email",
        "v.name as version_name",
        "v.driver_notes",
        "v.organization_id",
        "t.id as template_id",
        "t.name as template_name",
      ])
      // From the request, validated on arrival.
      .select(sql<readonly NamedValue[]>`run.parameters`.as("parameters"))
      // Written only by the import, from a validated definition.
      .select(sql<TemplateDefinition | null>`v.definition`.as("definition"))
  );
}

export type DryRunRow = Awaited<ReturnType<ReturnType<typeof dryRuns>["execute"]>>[number];
