import { createHash } from "node:crypto";

import { tarMimeType } from "@slipway/api";
import { countText } from "@slipway/runtime";
import type { Transaction } from "kysely";

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
import { countUnusedBytes, insertFile, selectFile } from "./queries.ts";

export interface KeptFile {
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
): Promise<KeptFile> {
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

export interface FileContent {
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
