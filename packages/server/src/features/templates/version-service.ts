import { randomBytes } from "node:crypto";

import { nilUuid, type TemplateVersion } from "@slipway/api";
import type { NamedValue, PresetDefinition, TemplateDefinition } from "@slipway/template";
import type { Transaction } from "kysely";

import { mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Limits } from "../../platform/config/limits.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import {
  forbidden,
  Invalid,
  invalidField,
  NotFound,
  notFound,
  NotReady,
  PreconditionFailed,
  takenField,
} from "../../platform/errors/errors.ts";
import { LimitReached } from "../../platform/errors/limit-reached.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { insertJob } from "../../platform/jobs/queries.ts";
import { readJob, readJobs } from "../../platform/jobs/service.ts";
import { topics, type PubSub } from "../../platform/pubsub/pubsub.ts";
import { readFile } from "../files/service.ts";
import { lockUser } from "../users/lock-service.ts";
import { recordVersionChange } from "./audit.ts";
import { matchingPreset } from "./matching-preset.ts";
import { selectTemplate } from "./queries.ts";
import { versionJson } from "./version-json.ts";
import {
  countNewVersions,
  insertVersion,
  selectPreviousVersion,
  selectVersion,
  selectVersionByName,
  selectVersions,
  type VersionRow,
} from "./version-queries.ts";

/** The request for a new version. */
export interface NewVersion {
  readonly organizationId: string;
  readonly fileId: string;
  readonly templateId: string | undefined;
  readonly name: string | undefined;
  readonly message: string;
}

export interface VersionNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly limits: Pick<Limits, "maxTemplateVersionsPerDay">;
}

/** Stores a new version and queues its import; throws `LimitReached` for a user who has pushed as many as allowed. */
export async function createVersion(
  { db, pubsub, limits }: VersionNeeds,
  caller: UserCaller,
  input: NewVersion,
): Promise<TemplateVersion> {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can write templates.");
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

/** Reads a version as clients see it; throws `NotFound`. */
export async function readVersion(db: Queryable, id: string): Promise<TemplateVersion> {
  const row = await requireVersion(db, id);
  return versionJson(row, await readJob(db, row.job_id));
}

/** Reads the versions of a template, oldest first. */
export async function readVersions(
  db: Queryable,
  templateId: string,
  includeArchived: boolean,
): Promise<TemplateVersion[]> {
  const rows = await selectVersions(db, templateId, includeArchived);
  const jobs = await readJobs(
    db,
    rows.map((row) => row.job_id),
  );
  return rows.flatMap((row) => {
    const job = jobs.get(row.job_id);
    return job === undefined ? [] : [versionJson(row, job)];
  });
}

/** Reads a version by its name within its template; throws `NotFound`. */
export async function readVersionByName(
  db: Queryable,
  templateId: string,
  name: string,
): Promise<TemplateVersion> {
  const row = await selectVersionByName(db, templateId, name);
  if (row === undefined) throw notFound();
  return versionJson(row, await readJob(db, row.job_id));
}

/** Reads the newest imported version from before the named one; throws `NotFound`. */
export async function readPreviousVersion(
  db: Queryable,
  templateId: string,
  name: string,
): Promise<TemplateVersion> {
  const { id } = await readVersionByName(db, templateId, name);
  const row = await selectPreviousVersion(db, templateId, id);
  if (row === undefined) {
    throw new NotFound(`No previous template version found for "${name}".`);
  }
  return versionJson(row, await readJob(db, row.job_id));
}

/** Reads a version's row; throws `NotFound`. */
export async function requireVersion(db: Queryable, id: string): Promise<VersionRow> {
  const row = await selectVersion(db, id);
  if (row === undefined) throw notFound();
  return row;
}

/** Reads a version with its definition; throws `PreconditionFailed` while its import has not succeeded. */
export async function requireImported(
  db: Queryable,
  id: string,
): Promise<VersionRow & { readonly definition: TemplateDefinition }> {
  const row = await requireVersion(db, id);
  const { definition } = row;
  if (definition === null) {
    throw new PreconditionFailed("The template version has not been imported.", {
      detail: "Its import is still running, or has failed. See its log for details.",
    });
  }
  return { ...row, definition };
}

/** A version that workspaces can be created from. */
export type BuildableVersion = VersionRow & { readonly definition: TemplateDefinition };

/**
 * Reads a version that workspaces can be created from (docs/protocol/clients.md §6). Throws `NotReady` while its import
 * runs, `Invalid` when that has failed.
 */
export async function requireBuildable(db: Queryable, id: string): Promise<BuildableVersion> {
  return asBuildable(db, await requireVersion(db, id));
}

/** Checks the same of a version that was read already. */
export async function asBuildable(db: Queryable, row: VersionRow): Promise<BuildableVersion> {
  const { definition, name } = row;
  if (definition !== null) return { ...row, definition };
  const { status, error } = await readJob(db, row.job_id);
  if (status === "pending" || status === "running") {
    throw new NotReady(`The template version "${name}" is still being imported.`, {
      detail: "Wait until its import has finished, then try again.",
    });
  }
  throw new Invalid(`The template version "${name}" could not be imported.`, {
    detail: error ?? `The status of its import is ${status}.`,
  });
}

/** A preset with the id that its version's import assigned. */
export interface KeptPreset {
  readonly id: string;
  readonly preset: PresetDefinition;
}

/** Returns the presets of a version. */
export function presetsOf({ definition, presets }: VersionPresets): readonly KeptPreset[] {
  return definition.presets.flatMap((preset) => {
    const id = presets.find(({ name }) => name === preset.name)?.id;
    return id === undefined ? [] : [{ id, preset }];
  });
}

type VersionPresets = Pick<BuildableVersion, "definition" | "presets">;

/**
 * Finds the preset that values match without naming it: all of its values are among them, and it sets the most
 * (docs/protocol/prebuilds.md §1.3).
 */
export function findMatchingPreset(
  version: VersionPresets,
  values: readonly NamedValue[],
): string | undefined {
  return matchingPreset(presetsOf(version), values)?.id;
}

/** Finds the preset with a pool that a request names, or that its values match. */
export function findPool(
  version: VersionPresets,
  presetId: string | undefined,
  values: readonly NamedValue[],
): KeptPreset | undefined {
  const presets = presetsOf(version);
  const found =
    presetId === undefined
      ? matchingPreset(presets, values)
      : presets.find(({ id }) => id === presetId);
  return found?.preset.prebuilds === undefined ? undefined : found;
}
