import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

export interface InsertFile {
  readonly hash: string;
  readonly mimetype: string;
  readonly data: Uint8Array;
  readonly createdBy: string;
}

/** Stores a file; the same bytes from the same user are the same file, as fresh as a new one. */
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

/** Returns the size of a user's unused files, without the one of that hash. */
export async function countUnusedBytes(
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

export function selectFile(db: Queryable, id: string) {
  return db
    .selectFrom("files")
    .where("id", "=", id)
    .select(["id", "mimetype", "data", "created_by"])
    .executeTakeFirst();
}
