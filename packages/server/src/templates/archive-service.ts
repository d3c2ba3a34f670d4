import type { ArchiveVersionsResponse, TemplateVersion } from "@slipway/api";

import { mayWriteTemplates } from "../auth/rights.ts";
import type { Database, Queryable } from "../db/database.ts";
import { inTransaction } from "../db/transaction.ts";
import type { UserCaller } from "../http/caller.ts";
import { forbidden, HttpError, invalidField } from "../http/errors.ts";
import { requireTemplate } from "./service.ts";
import { archiveUnused, selectIsUsed, updateArchived, updateVersion } from "./version-queries.ts";
import { readVersion, requireVersion, versionNameTaken } from "./version-service.ts";

/** Hides a version, or shows it again. Throws 400 for one that is as asked already, and for hiding one that is used. */
export async function setArchived(
  db: Database,
  caller: UserCaller,
  id: string,
  archived: boolean,
): Promise<void> {
  requireWriter(caller);
  const version = await requireVersion(db, id);
  if (version.archived === archived) {
    const state = archived ? "archived" : "not archived";
    throw new HttpError(400, `The template version is ${state} already.`);
  }
  await inTransaction(db, async (trx) => {
    if (archived && (await selectIsUsed(trx, id))) {
      throw new HttpError(400, "The template version is used and cannot be archived.", {
        detail: "It is the active one of its template, or a workspace is at it.",
      });
    }
    await updateArchived(trx, id, archived);
  });
}

/** Hides the versions of a template that nothing uses; `all` takes also those whose import succeeded. */
export async function archiveVersions(
  db: Queryable,
  caller: UserCaller,
  templateId: string,
  all: boolean,
): Promise<ArchiveVersionsResponse> {
  requireWriter(caller);
  await requireTemplate(db, templateId);
  const archived = await archiveUnused(db, templateId, !all);
  return { template_id: templateId, archived_ids: [...archived] };
}

/** Renames a version or changes its message. */
export async function changeVersion(
  db: Queryable,
  caller: UserCaller,
  id: string,
  changes: { readonly name: string | undefined; readonly message: string | undefined },
): Promise<TemplateVersion> {
  requireWriter(caller);
  await requireVersion(db, id);
  const name = changes.name === "" ? undefined : changes.name;
  if (name !== undefined && !versionName.test(name)) {
    throw invalidField(
      "name",
      `must be 1 to 64 letters, digits, dots, dashes and underscores, found "${name}"`,
    );
  }
  await updateVersion(db, id, { name, message: changes.message }).catch((error: unknown) => {
    throw versionNameTaken(error, name ?? "");
  });
  return readVersion(db, id);
}

const versionName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

function requireWriter(caller: UserCaller): void {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins write templates.");
}
