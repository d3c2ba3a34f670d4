import { nameProblem, type Template } from "@slipway/api";
import type { Transaction } from "kysely";

import { mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import {
  forbidden,
  ifFound,
  Invalid,
  invalidField,
  notFound,
  takenField,
} from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf } from "../audit/service.ts";
import { recordTemplateChange } from "./audit.ts";
import { type Drivers, requireDriverFor } from "./driver-rule.ts";
import {
  insertTemplate,
  lockTemplate,
  selectTemplate,
  selectTemplateByName,
  selectTemplateInUse,
  selectTemplates,
  type TemplateRow,
  updateActiveVersion,
} from "./queries.ts";
import { parseTemplateSearch } from "./search.ts";
import { templateJson } from "./template-json.ts";
import { adoptVersion, type VersionRow } from "./version-queries.ts";
import { requireImported, requireVersion } from "./version-service.ts";

/** The dependencies of offering a template. */
export interface TemplateNeeds {
  readonly db: Database;
  readonly drivers: Drivers;
}

/** Lists templates; `q` as in `parseTemplateSearch`. */
export async function listTemplates(db: Queryable, q: string): Promise<Template[]> {
  return (await selectTemplates(db, parseTemplateSearch(q))).map(templateJson);
}

/** Reads a template's row; throws `NotFound`. */
export async function requireTemplate(db: Queryable, id: string): Promise<TemplateRow> {
  const row = await selectTemplate(db, id);
  if (row === undefined) throw notFound();
  return row;
}

/**
 * Locks a template that is about to be changed, with what decides which of its versions are in use, and reads its row;
 * throws `NotFound`.
 */
export async function requireLocked(trx: Transaction<DB>, id: string): Promise<TemplateRow> {
  if (!(await lockTemplate(trx, id))) throw notFound();
  return requireTemplate(trx, id);
}

export async function readTemplate(db: Queryable, id: string): Promise<Template> {
  const row = await selectTemplateInUse(db, id);
  if (row === undefined) throw notFound();
  return templateJson(row);
}

export async function readTemplateByName(
  db: Queryable,
  organizationId: string,
  name: string,
): Promise<Template> {
  const row = await selectTemplateByName(db, organizationId, name);
  if (row === undefined) throw notFound();
  return templateJson(row);
}

/** The request for a new template; omitted texts come from the version. */
export interface NewTemplate {
  readonly organizationId: string;
  readonly name: string;
  readonly versionId: string;
  readonly displayName: string | undefined;
  readonly description: string | undefined;
  readonly icon: string | undefined;
}

/** Creates a template from an imported version, which becomes its active one. */
export async function createTemplate(
  { db, drivers }: TemplateNeeds,
  caller: UserCaller,
  input: NewTemplate,
): Promise<Template> {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can write templates.");
  const problem = nameProblem(input.name);
  if (problem !== undefined) throw invalidField("name", problem);
  const { definition } = await requireImported(db, input.versionId);
  requireDriverFor(drivers, caller, definition.driver);
  const id = await inTransaction(db, async (trx) => {
    const templateId = await insertTemplate(trx, {
      organizationId: input.organizationId,
      name: input.name,
      displayName: input.displayName ?? definition.displayName,
      description: input.description ?? definition.description,
      icon: input.icon ?? definition.icon,
      activeVersionId: input.versionId,
      createdBy: caller.id,
    });
    if (!(await adoptVersion(trx, input.versionId, templateId))) {
      throw invalidField("template_version_id", "must not belong to another template");
    }
    const made = { id: templateId, organization_id: input.organizationId, name: input.name };
    await recordTemplateChange(trx, caller, made, { action: "create" });
    return templateId;
  }).catch((error: unknown) => {
    if (!violatesUnique(error, "templates_name")) throw error;
    throw takenField("name", `Template with name "${input.name}" already exists.`);
  });
  return readTemplate(db, id);
}

/** Makes an imported version of the template its active one. */
export async function activateVersion(
  { db, drivers }: TemplateNeeds,
  caller: UserCaller,
  templateId: string,
  versionId: string,
): Promise<void> {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can write templates.");
  const { name: templateName } = await requireTemplate(db, templateId);
  const version = await ifFound(requireVersion(db, versionId));
  if (version?.template_id !== templateId) {
    throw invalidField("id", `must be a version of template ${templateName}, found ${versionId}`);
  }
  const { definition } = await requireImported(db, versionId);
  requireDriverFor(drivers, caller, definition.driver);
  await inTransaction(db, async (trx) => {
    const template = await requireLocked(trx, templateId);
    const { archived, name } = await requireVersion(trx, versionId);
    if (archived) throw invalidField("id", `must not be archived: unarchive version ${name} first`);
    await updateActiveVersion(trx, templateId, versionId);
    const before = { active_version_id: template.active_version_id };
    const diff = diffOf(before, { active_version_id: versionId });
    await recordTemplateChange(trx, caller, template, { action: "write", diff });
  });
}

/**
 * Throws `Forbidden` for a version other than the active one, if the template requires that of everybody who may not
 * write it.
 */
export function requireUsableVersion(
  caller: UserCaller,
  template: Pick<TemplateRow, "name" | "active_version_id" | "require_active_version">,
  versionId: string,
): void {
  if (
    template.require_active_version &&
    versionId !== template.active_version_id &&
    !mayWriteTemplates(caller)
  ) {
    throw forbidden(
      `Template ${template.name} requires its active version. Update the workspace first.`,
    );
  }
}

/** Throws `Forbidden` if only template writers may cancel builds and the caller is not one. */
export async function requireMayCancel(
  db: Queryable,
  caller: UserCaller,
  versionId: string,
): Promise<void> {
  const { template_id: templateId } = await requireVersion(db, versionId);
  const template = templateId === null ? undefined : await selectTemplate(db, templateId);
  if (template === undefined || template.allow_user_cancel_workspace_jobs) return;
  if (!mayWriteTemplates(caller))
    throw forbidden(`Template ${template.name} does not allow users to cancel builds.`);
}

/** Throws `Invalid` if no new workspace may be created: the template is deprecated, or the version is archived. */
export function requireOpenForWorkspaces(
  template: Pick<TemplateRow, "name" | "deprecation_message">,
  version: Pick<VersionRow, "name" | "archived">,
): void {
  if (template.deprecation_message !== "") {
    throw new Invalid(
      `Template "${template.name}" has been deprecated, and cannot be used to create a new workspace.`,
      {
        detail: template.deprecation_message,
        validations: [{ field: "template_id", detail: template.deprecation_message }],
      },
    );
  }
  if (version.archived) {
    throw invalidField(
      "template_version_id",
      `must not be archived: unarchive version ${version.name}, or choose another`,
    );
  }
}
