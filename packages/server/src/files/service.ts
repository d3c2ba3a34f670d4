import { createHash } from "node:crypto";

import { tarMimeType } from "@slipway/api";

import { mayActFor, mayWriteTemplates } from "../auth/rights.ts";
import type { Queryable } from "../db/database.ts";
import type { UserCaller } from "../http/caller.ts";
import { forbidden, HttpError, notFound } from "../http/errors.ts";
import { insertFile, selectFile } from "./queries.ts";

export interface KeptFile {
  readonly id: string;
  readonly isNew: boolean;
}

/** Keeps a tar. Throws 400 for another type, 403 for who may not write templates. */
export async function keepFile(
  db: Queryable,
  caller: UserCaller,
  contentType: string,
  data: Uint8Array,
): Promise<KeptFile> {
  if (!mayWriteTemplates(caller)) throw forbidden("Files are for users who may write templates.");
  if (contentType !== tarMimeType) {
    throw new HttpError(400, `Unsupported content type header "${contentType}".`, {
      detail: `Send the template as ${tarMimeType}.`,
    });
  }
  const hash = createHash("sha256").update(data).digest("hex");
  return insertFile(db, { hash, mimetype: contentType, data, createdBy: caller.id });
}

export interface FileContent {
  readonly mimetype: string;
  readonly data: Uint8Array;
}

/** A file that the caller may read; throws the 404. */
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

/** The bytes of a file that the server itself refers to. */
export async function loadFile(db: Queryable, id: string): Promise<Uint8Array> {
  const file = await selectFile(db, id);
  if (file === undefined) throw new HttpError(500, `file ${id} is missing`);
  return file.data;
}
