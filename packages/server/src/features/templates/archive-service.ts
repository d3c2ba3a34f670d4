import type { ArchiveVersionsResponse, TemplateVersion } from "@slipway/api";

import { mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Database } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden, Invalid } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf } from "../audit/service.ts";
import { recordTemplateChange, recordVersionChange } from "./audit.ts";
import { requireLocked } from "./service.ts";
import { archiveUnused, selectIsUsed, updateArchived, updateVersion } from "./version-queries.ts";
import {
  readVersion,
  requireVersion,
  requireVersionName,
  versionNameTaken,
} from "./version-service.ts";

/** Archives a version, or unarchives it. Throws `Invalid` for one that is unchanged, and for archiving one in use. */
export async function setArchived(
  db: Database,
  caller: UserCaller,
  id: string,
  archived: boolean,
): Promise<void> {
  requireWriter(caller);
  const { template_id: templateId } = await requireVersion(db, id);
  await inTransaction(db, async (trx) => {
    if (templateId !== null) await requireLocked(trx, templateId);
    const version = await requireVersion(trx, id);
    if (version.archived === archived) {
      const state = archived ? "archived" : "not archived";
      throw new Invalid(`The template version is already ${state}.`);
    }
    if (archived && (await selectIsUsed(trx, id))) {
      throw new Invalid("The template version is in use and cannot be archived.", {
        detail: "It is the active version of its template, or a workspace uses it.",
      });
    }
    await updateArchived(trx, id, archived);
    const diff = diffOf({ archived: version.archived }, { archived });
    await recordVersionChange(trx, caller, version, { action: "write", diff });
  });
}

/** Archives the unused versions of a template; `all` includes those whose import succeeded. */
export async function archiveVersions(
  db: Database,
  caller: UserCaller,
  templateId: string,
  all: boolean,
): Promise<ArchiveVersionsResponse> {
  requireWriter(caller);
  const archived = await inTransaction(db, async (trx) => {
    const template = await requireLocked(trx, templateId);
    const ids = await archiveUnused(trx, templateId, !all);
    const fields = { archived_version_ids: ids };
    if (ids.length > 0)
      await recordTemplateChange(trx, caller, template, { action: "write", fields });
    return ids;
  });
  return { template_id: templateId, archived_ids: [...archived] };
}

/** Renames a version or changes its message. */
export async function changeVersion(
  db: Database,
  caller: UserCaller,
  id: string,
  changes: { readonly name: string | undefined; readonly message: string | undefined },
): Promise<TemplateVersion> {
  requireWriter(caller);
  const version = await requireVersion(db, id);
  const name = changes.name === "" ? undefined : changes.name;
  if (name !== undefined) requireVersionName(name);
  const after = { name, message: changes.message };
  await inTransaction(db, async (trx) => {
    await updateVersion(trx, id, after);
    const { name: newName = version.name, message = version.message } = after;
    const diff = diffOf({ ...version }, { name: newName, message });
    await recordVersionChange(trx, caller, version, { action: "write", diff });
  }).catch((error: unknown) => {
    throw versionNameTaken(error, name ?? "");
  });
  return readVersion(db, id);
}

function requireWriter(caller: UserCaller): void {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can write templates.");
}
