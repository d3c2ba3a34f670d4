import { createHash } from "node:crypto";

import { tarMimeType } from "@slipway/api/files/routes";
import { countText } from "@slipway/runtime";
import { sql, type Transaction } from "kysely";

import { mayActFor, mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Limits } from "../../platform/config/limits.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden, Invalid, notFound } from "../../platform/errors/errors.ts";
import { LimitReached } from "../../platform/errors/limit-reached.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { recordAudit } from "../audit/service.ts";
import { lockUser } from "../users/lock-service.ts";

interface StoredFile {
  readonly id: string;
  readonly isNew: boolean;
}

export interface FileNeeds {
  readonly db: Database;
  readonly limits: Pick<Limits, "maxUnusedFileBytesPerUser">;
}

/**
 * Stores a tar. Throws `Invalid` for another type, `Forbidden` without the right to write templates, `LimitReached` for
 * too much unused.
 */
export async function keepFile(
  { db, limits: { maxUnusedFileBytesPerUser: max } }: FileNeeds,
  caller: UserCaller,
  contentType: string,
  data: Uint8Array,
): Promise<StoredFile> {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can upload files.");
  if (contentType !== tarMimeType) {
    throw new Invalid(`Unsupported content type header "${contentType}".`, {
      detail: `Send the template as ${tarMimeType}.`,
    });
  }
  const hash = createHash("sha256").update(data).digest("hex");
  return inTransaction(db, async (trx) => {
    await lockUser(trx, caller.id);
    const unusedBytes = await countUnusedBytes(trx, caller.id, hash);
    if (unusedBytes + data.length > max) throw tooMuchUnused(max, unusedBytes, data.length);
    const file = await insertFile(trx, { hash, mimetype: contentType, data, createdBy: caller.id });
    if (file.isNew) await recordUpload(trx, caller, file.id, hash, data.length);
    return file;
  });
}

async function recordUpload(
  trx: Transaction<DB>,
  caller: UserCaller,
  id: string,
  hash: string,
  bytes: number,
): Promise<void> {
  await recordAudit(trx, {
    by: caller,
    organizationId: undefined,
    action: "create",
    resourceType: "file",
    resourceId: id,
    target: hash,
    diff: {},
    fields: { bytes },
  });
}

function tooMuchUnused(max: number, unusedBytes: number, bytes: number): LimitReached {
  return new LimitReached({
    name: "maxUnusedFileBytesPerUser",
    isTemporary: false,
    limit: `${countText(max, "byte")} of unused files per user`,
    used: `You have uploaded ${countText(unusedBytes, "byte")} that no template version uses, and this file has ${bytes}`,
    advice:
      "Push a template version that uses them, or wait: unused files are deleted after a day.",
  });
}

interface FileContent {
  readonly mimetype: string;
  readonly data: Uint8Array;
}

/** Reads a file that the caller may read; throws `NotFound`. */
export async function readFile(
  db: Queryable,
  caller: UserCaller,
  id: string,
): Promise<FileContent> {
  const file = await selectFile(db, id);
  const mayRead =
    file !== undefined && (mayActFor(caller, file.created_by) || mayWriteTemplates(caller));
  if (!mayRead) throw notFound();
  return file;
}

/** Reads the bytes of a file that the server itself refers to. */
export async function loadFile(db: Queryable, id: string): Promise<Uint8Array> {
  const file = await selectFile(db, id);
  if (file === undefined) throw new Error(`file ${id} is missing`);
  return file.data;
}

interface InsertFile {
  readonly hash: string;
  readonly mimetype: string;
  readonly data: Uint8Array;
  readonly createdBy: string;
}

/** Stores a file; equal bytes of one user are one file, whose age begins with the newest upload. */
export async function insertFile(
  db: Queryable,
  input: InsertFile,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const { id, is_new: isNew } = await db
    .insertInto("files")
    .values({
      hash: input.hash,
      mimetype: input.mimetype,
      data: Buffer.from(input.data),
      created_by: input.createdBy,
    })
    .onConflict((conflict) =>
      // Keeps the cleanup of unused files from removing it before the current uploader uses it.
      conflict.columns(["created_by", "hash"]).doUpdateSet({ created_at: sql`now()` }),
    )
    .returning(["id", sql<boolean>`xmax = 0`.as("is_new")])
    .executeTakeFirstOrThrow();
  return { id, isNew };
}

/** Returns the size of a user's unused files, except for the one with the hash. */
async function countUnusedBytes(
  db: Queryable,
  userId: string,
  exceptHash: string,
): Promise<number> {
  const row = await db
    .selectFrom("files as file")
    .where("file.created_by", "=", userId)
    .where("file.hash", "<>", exceptHash)
    .where(
      sql<boolean>`not exists (select from template_versions where file_id = file.id)
        and not exists (select from jobs where file_id = file.id)`,
    )
    .select(sql<number>`coalesce(sum(octet_length(file.data)), 0)::bigint`.as("bytes"))
    .executeTakeFirstOrThrow();
  return row.bytes;
}

function selectFile(db: Queryable, id: string) {
  return db
    .selectFrom("files")
    .where("id", "=", id)
    .select(["id", "mimetype", "data", "created_by"])
    .executeTakeFirst();
}
