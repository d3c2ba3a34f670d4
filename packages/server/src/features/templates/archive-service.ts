import type {
  ArchiveVersionsResponse,
  TemplateVersion,
} from "@slipway/api/templates/template-version";
import { sql, type Transaction } from "kysely";

import type { Database, Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Invalid } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { newestBuild } from "../../platform/jobs/build-sql.ts";
import { diffOf } from "../audit/service.ts";
import { recordTemplateChange, recordVersionChange } from "./audit.ts";
import { requireVersionName, versionNameTaken } from "./create-version-service.ts";
import { requireLocked, requireTemplateWriter } from "./service.ts";
import type { VersionRow } from "./version-queries.ts";
import { readVersion, requireVersion } from "./version-service.ts";

/** Archives a version, or unarchives it. Throws `Invalid` for one that is unchanged, and for archiving one in use. */
export async function setArchived(
  db: Database,
  caller: UserCaller,
  id: string,
  archived: boolean,
): Promise<void> {
  requireTemplateWriter(caller);
  const { template_id: templateId } = await requireVersion(db, id);
  await inTransaction(db, async (trx) => {
    if (templateId !== null) await requireLocked(trx, templateId);
    const version = await requireLockedVersion(trx, id);
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
  requireTemplateWriter(caller);
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
  requireTemplateWriter(caller);
  const name = changes.name === "" ? undefined : changes.name;
  if (name !== undefined) requireVersionName(name);
  const after = { name, message: changes.message };
  await inTransaction(db, async (trx) => {
    const version = await requireLockedVersion(trx, id);
    await updateVersion(trx, id, after);
    const { name: newName = version.name, message = version.message } = after;
    const diff = diffOf({ ...version }, { name: newName, message });
    await recordVersionChange(trx, caller, version, { action: "write", diff });
  }).catch((error: unknown) => {
    throw versionNameTaken(error, name ?? "");
  });
  return readVersion(db, id);
}

/** Locks a version that is about to be changed, and reads its row; throws `NotFound`. */
async function requireLockedVersion(trx: Transaction<DB>, id: string): Promise<VersionRow> {
  const locked = trx.selectFrom("template_versions").where("id", "=", id).select("id");
  await locked.forNoKeyUpdate().execute();
  return requireVersion(trx, id);
}

async function updateVersion(
  db: Queryable,
  id: string,
  changes: { readonly name: string | undefined; readonly message: string | undefined },
): Promise<void> {
  await db
    .updateTable("template_versions")
    .set({ ...changes, updated_at: sql`now()` })
    .where("id", "=", id)
    .execute();
}

async function updateArchived(db: Queryable, id: string, archived: boolean): Promise<void> {
  await db
    .updateTable("template_versions")
    .set({ archived, updated_at: sql`now()` })
    .where("id", "=", id)
    .execute();
}

/** The condition that a template has the version as its active one, or the newest build of a live workspace uses it. */
const isUsed = sql<boolean>`(
  exists (select from templates t where t.active_version_id = v.id)
  or exists (
    select from workspaces w
    cross join lateral ${newestBuild(sql`w.id`)} newest
    where w.template_id = v.template_id and not w.deleted and newest.template_version_id = v.id
  ))`;

async function selectIsUsed(db: Queryable, id: string): Promise<boolean> {
  const row = await db
    .selectFrom("template_versions as v")
    .where("v.id", "=", id)
    .select(isUsed.as("is_used"))
    .executeTakeFirstOrThrow();
  return row.is_used;
}

/** Archives the unused versions of a template whose import has ended; resolves to their ids. */
async function archiveUnused(
  db: Queryable,
  templateId: string,
  onlyFailed: boolean,
): Promise<readonly string[]> {
  const rows = await db
    .updateTable("template_versions")
    .set({ archived: true, updated_at: sql`now()` })
    .where("id", "in", (eb) =>
      eb
        .selectFrom("template_versions as v")
        .innerJoin("jobs as job", "job.id", "v.job_id")
        .where("v.template_id", "=", templateId)
        .where("v.archived", "=", sql.lit(false))
        .where("job.completed_at", "is not", null)
        .$if(onlyFailed, (all) => all.where("job.error", "is not", null))
        .where(sql<boolean>`not ${isUsed}`)
        .select("v.id"),
    )
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}
