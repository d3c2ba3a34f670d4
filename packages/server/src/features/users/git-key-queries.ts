import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

export interface NewGitKey {
  readonly userId: string;
  readonly publicKey: string;
  readonly privateKeyEncrypted: Buffer;
}

/** Stores a key for a user who has none. */
export async function insertGitKey(db: Queryable, key: NewGitKey): Promise<void> {
  await insertion(db, key)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Stores a key, replacing the user's previous one. */
export async function upsertGitKey(db: Queryable, key: NewGitKey): Promise<void> {
  await insertion(db, key)
    .onConflict((conflict) =>
      conflict.column("user_id").doUpdateSet({
        public_key: key.publicKey,
        private_key_encrypted: key.privateKeyEncrypted,
        updated_at: sql`now()`,
      }),
    )
    .execute();
}

function insertion(db: Queryable, { userId, publicKey, privateKeyEncrypted }: NewGitKey) {
  return db.insertInto("git_ssh_keys").values({
    user_id: userId,
    public_key: publicKey,
    private_key_encrypted: privateKeyEncrypted,
  });
}

export function selectGitKey(db: Queryable, userId: string) {
  return db.selectFrom("git_ssh_keys").where("user_id", "=", userId).selectAll().executeTakeFirst();
}
