import { nameProblem, type Template } from "@slipway/api";

import { mayWriteTemplates } from "../auth/rights.ts";
import type { Database, Queryable } from "../db/database.ts";
import { violatesUnique } from "../db/errors.ts";
import { inTransaction } from "../db/transaction.ts";
import type { UserCaller } from "../http/caller.ts";
import { forbidden, HttpError, invalidField, notFound } from "../http/errors.ts";
import {
  insertTemplate,
  selectTemplate,
  selectTemplateByName,
  selectTemplates,
  type TemplateRow,
  updateActiveVersion,
} from "./queries.ts";
import { templateJson } from "./template-json.ts";
import { adoptVersion } from "./version-queries.ts";
import { requireImported, requireVersion } from "./version-service.ts";

/** Lists templates; `q` may hold `exact_name:"x"`, which stock clients send. */
export async function listTemplates(db: Queryable, q: string): Promise<Template[]> {
  const exact = /^\s*exact_name:"?([^"\s]+)"?\s*$/.exec(q)?.[1];
  if (q.trim() !== "" && exact === undefined) {
    throw new HttpError(400, "Invalid template search query.", {
      validations: [{ field: "q", detail: `must be empty or exact_name:"…", found ${q}` }],
    });
  }
  return (await selectTemplates(db, exact)).map(templateJson);
}

/** A template's row; throws the 404. */
export async function requireTemplate(db: Queryable, id: string): Promise<TemplateRow> {
  const row = await selectTemplate(db, id);
  if (row === undefined) throw notFound();
  return row;
}

export async function readTemplate(db: Queryable, id: string): Promise<Template> {
  return templateJson(await requireTemplate(db, id));
}

export async function readTemplateByName(
  db: Queryable,
  organizationId: string,
  name: string,
): Promise<Template> {
  const row = await findTemplateByName(db, organizationId, name);
  if (row === undefined) throw notFound();
  return templateJson(row);
}

export function findTemplateByName(
  db: Queryable,
  organizationId: string,
  name: string,
): Promise<TemplateRow | undefined> {
  return selectTemplateByName(db, organizationId, name);
}

/** What a request says of a new template; texts that it leaves out come from the version. */
export interface NewTemplate {
  readonly organizationId: string;
  readonly name: string;
  readonly versionId: string;
  readonly displayName: string | undefined;
  readonly description: string | undefined;
  readonly icon: string | undefined;
}

/** Makes a template of an imported version, which becomes its active one. */
export async function createTemplate(
  db: Database,
  caller: UserCaller,
  input: NewTemplate,
): Promise<Template> {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins write templates.");
  const problem = nameProblem(input.name);
  if (problem !== undefined) throw invalidField("name", problem);
  const { definition } = await requireImported(db, input.versionId);
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
      throw invalidField("template_version_id", "belongs to another template");
    }
    return templateId;
  }).catch((error: unknown) => {
    if (!violatesUnique(error, "templates_name")) throw error;
    throw new HttpError(409, `Template with name "${input.name}" already exists.`, {
      validations: [
        { field: "name", detail: "This value is already in use and should be unique." },
      ],
    });
  });
  return readTemplate(db, id);
}

/** Makes an imported version of the template its active one. */
export async function activateVersion(
  db: Database,
  caller: UserCaller,
  templateId: string,
  versionId: string,
): Promise<void> {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins write templates.");
  const template = await requireTemplate(db, templateId);
  const version = await requireVersion(db, versionId).catch(() => undefined);
  if (version?.template_id !== template.id) {
    throw invalidField("id", `template ${template.name} has no version ${versionId}`);
  }
  await requireImported(db, versionId);
  await updateActiveVersion(db, templateId, versionId);
}
