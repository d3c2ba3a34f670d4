import type { Queryable } from "../db/database.ts";

export interface InsertFile {
  readonly hash: string;
  readonly mimetype: string;
  readonly data: Uint8Array;
  readonly createdBy: string;
}

/** Keeps a file; the same bytes of the same user again are the same file. */
export async function insertFile(
  db: Queryable,
  input: InsertFile,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const inserted = await db
    .insertInto("files")
    .values({
      hash: input.hash,
      mimetype: input.mimetype,
      data: Buffer.from(input.data),
      created_by: input.createdBy,
    })
    .onConflict((conflict) => conflict.columns(["created_by", "hash"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  if (inserted !== undefined) return { id: inserted.id, isNew: true };
  const known = await db
    .selectFrom("files")
    .where("created_by", "=", input.createdBy)
    .where("hash", "=", input.hash)
    .select("id")
    .executeTakeFirstOrThrow();
  return { id: known.id, isNew: false };
}

export function selectFile(db: Queryable, id: string) {
  return db
    .selectFrom("files")
    .where("id", "=", id)
    .select(["id", "mimetype", "data", "created_by"])
    .executeTakeFirst();
}
