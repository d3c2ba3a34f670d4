import { nameProblem } from "@slipway/api/contract/name";
import type { Template } from "@slipway/api/templates/template";
import { sql } from "kysely";

import type { Database, Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { ifFound, invalidField, takenField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf } from "../audit/service.ts";
import { recordTemplateChange } from "./audit.ts";
import { type Drivers, requireDriverFor } from "./driver-rule.ts";
import { readTemplate, requireLocked, requireTemplate, requireTemplateWriter } from "./service.ts";
import { requireImported, requireVersion } from "./version-service.ts";

/** The dependencies of creating and activating templates. */
interface TemplateNeeds {
  readonly db: Database;
  readonly drivers: Drivers;
}

/** The request for a new template; omitted texts come from the version. */
interface NewTemplate {
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
  requireTemplateWriter(caller);
  const problem = nameProblem(input.name);
  if (problem !== undefined) throw invalidField("name", problem);
  const version = await requireImported(db, input.versionId);
  requireDriverFor(drivers, caller, version);
  const { definition } = version;
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
    const template = { id: templateId, organization_id: input.organizationId, name: input.name };
    await recordTemplateChange(trx, caller, template, { action: "create" });
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
  requireTemplateWriter(caller);
  const { name: templateName } = await requireTemplate(db, templateId);
  const version = await ifFound(requireVersion(db, versionId));
  if (version?.template_id !== templateId) {
    throw invalidField("id", `must be a version of template ${templateName}, found ${versionId}`);
  }
  requireDriverFor(drivers, caller, await requireImported(db, versionId));
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

interface InsertTemplate {
  readonly organizationId: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly icon: string;
  readonly activeVersionId: string;
  readonly createdBy: string;
}

async function insertTemplate(db: Queryable, input: InsertTemplate): Promise<string> {
  const row = await db
    .insertInto("templates")
    .values({
      organization_id: input.organizationId,
      name: input.name,
      display_name: input.displayName,
      description: input.description,
      icon: input.icon,
      active_version_id: input.activeVersionId,
      created_by: input.createdBy,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

async function updateActiveVersion(
  db: Queryable,
  templateId: string,
  versionId: string,
): Promise<void> {
  await db
    .updateTable("templates")
    .set({ active_version_id: versionId, updated_at: sql`now()` })
    .where("id", "=", templateId)
    .execute();
}

/** Assigns a version that was imported without a template to its template; false when it has another. */
async function adoptVersion(
  db: Queryable,
  versionId: string,
  templateId: string,
): Promise<boolean> {
  const result = await db
    .updateTable("template_versions")
    .set({ template_id: templateId })
    .where("id", "=", versionId)
    .where("template_id", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
