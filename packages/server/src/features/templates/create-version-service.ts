import { randomBytes } from "node:crypto";

import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { sql, type Transaction } from "kysely";

import type { Limits } from "../../platform/config/limits.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { invalidField, takenField } from "../../platform/errors/errors.ts";
import { LimitReached } from "../../platform/errors/limit-reached.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { insertJob } from "../../platform/jobs/queries.ts";
import type { JobTags } from "../../platform/jobs/tags.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { readFile } from "../files/service.ts";
import { lockUser } from "../users/lock-service.ts";
import { recordVersionChange } from "./audit.ts";
import { selectTemplate } from "./queries.ts";
import { requireTemplateWriter } from "./service.ts";
import { readVersion } from "./version-service.ts";

/** The request for a new version. */
interface NewVersion {
  readonly organizationId: string;
  readonly fileId: string;
  readonly templateId: string | undefined;
  readonly name: string | undefined;
  readonly message: string;
  /** The tags of the provisioners that carry it out (default: none, for the servers themselves). */
  readonly tags?: JobTags;
}

export interface VersionNeeds extends Pick<Platform, "db" | "pubsub"> {
  readonly limits: Pick<Limits, "maxTemplateVersionsPerDay">;
}

/** Stores a new version and queues its import; throws `LimitReached` for a user who has pushed as many as allowed. */
export async function createVersion(
  { db, pubsub, limits }: VersionNeeds,
  caller: UserCaller,
  input: NewVersion,
): Promise<TemplateVersion> {
  requireTemplateWriter(caller);
  await readFile(db, caller, input.fileId).catch(() => {
    throw invalidField("file_id", `must be the ID of an uploaded file, found ${input.fileId}`);
  });
  const templateId = input.templateId === nilUuid ? undefined : input.templateId;
  if (templateId !== undefined && (await selectTemplate(db, templateId)) === undefined) {
    throw invalidField("template_id", `must be the ID of a template, found ${templateId}`);
  }
  const name = input.name || `v${randomBytes(5).toString("hex")}`;
  requireVersionName(name);
  const id = await inTransaction(db, async (trx) => {
    await requireFewerVersions(trx, limits, caller);
    const jobId = await insertJob(trx, {
      type: "template_version_import",
      organizationId: input.organizationId,
      initiatorId: caller.id,
      fileId: input.fileId,
      tags: input.tags ?? {},
    });
    const { organizationId, message, fileId } = input;
    const versionId = await insertVersion(trx, {
      templateId,
      organizationId,
      name,
      message,
      jobId,
      fileId,
      createdBy: caller.id,
    });
    const version = {
      id: versionId,
      organization_id: organizationId,
      template_id: templateId ?? null,
      name,
    };
    await recordVersionChange(trx, caller, version, { action: "create" });
    return versionId;
  }).catch((error: unknown) => {
    throw versionNameTaken(error, name);
  });
  pubsub.publish(topics.jobQueue);
  return readVersion(db, id);
}

const versionName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

/** Throws `Invalid` for an invalid version name. */
export function requireVersionName(name: string): void {
  if (versionName.test(name)) return;
  throw invalidField(
    "name",
    `must be 1 to 64 letters, digits, dots, dashes and underscores that start and end with a letter or digit, found ${JSON.stringify(name)}`,
  );
}

async function requireFewerVersions(
  trx: Transaction<DB>,
  { maxTemplateVersionsPerDay: max }: VersionNeeds["limits"],
  { id, username }: UserCaller,
): Promise<void> {
  await lockUser(trx, id);
  const count = await countNewVersions(trx, id);
  if (count < max) return;
  throw new LimitReached({
    name: "maxTemplateVersionsPerDay",
    isTemporary: false,
    limit: `${max} new template versions per user per day`,
    used: `${username} has pushed ${count} in the last 24 hours`,
    advice: "Try again later.",
  });
}

/** Creates the `Conflict` for a name that another version of the template has; returns any other error unchanged. */
export function versionNameTaken(error: unknown, name: string): unknown {
  if (!violatesUnique(error, "template_versions_template_id_name_key")) return error;
  return takenField(
    "name",
    `A template version with name "${name}" already exists for this template.`,
  );
}

interface InsertVersion {
  readonly templateId: string | undefined;
  readonly organizationId: string;
  readonly name: string;
  readonly message: string;
  readonly jobId: string;
  readonly fileId: string;
  readonly createdBy: string;
}

async function insertVersion(db: Queryable, input: InsertVersion): Promise<string> {
  const row = await db
    .insertInto("template_versions")
    .values({
      template_id: input.templateId ?? null,
      organization_id: input.organizationId,
      name: input.name,
      message: input.message,
      job_id: input.jobId,
      file_id: input.fileId,
      created_by: input.createdBy,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await db
    .updateTable("jobs")
    .set({ template_version_id: row.id })
    .where("id", "=", input.jobId)
    .execute();
  return row.id;
}

/** Counts the versions that a user pushed in the last 24 hours. */
async function countNewVersions(db: Queryable, userId: string): Promise<number> {
  const row = await db
    .selectFrom("template_versions")
    .where("created_by", "=", userId)
    .where("created_at", ">", sql<string>`now() - interval '24 hours'`)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}
