import type { GitKey } from "@slipway/api/users/git-key-routes";
import { sql } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf, recordAudit } from "../audit/service.ts";
import { createGitKey, type GitKeyTexts } from "./git-key.ts";
import { lockCurrentUser } from "./lock-service.ts";

/** Returns the key pair of a user, generated on first use. */
export async function ensureGitKey(
  db: Queryable,
  secrets: SecretBox,
  userId: string,
): Promise<GitKeyTexts> {
  const row = await ensureRow(db, secrets, userId);
  return { publicKey: row.public_key, privateKey: secrets.open(row.private_key_encrypted) };
}

/** Reads the public half of a user's key. */
export async function readGitKey(
  db: Queryable,
  secrets: SecretBox,
  userId: string,
): Promise<GitKey> {
  const { user_id, created_at, updated_at, public_key } = await ensureRow(db, secrets, userId);
  return { user_id, created_at, updated_at, public_key };
}

/** Replaces a user's key with a new one. Throws `NotFound` for a user who was deleted. */
export async function replaceGitKey(
  db: Database,
  secrets: SecretBox,
  caller: UserCaller,
  userId: string,
): Promise<GitKey> {
  const key = newKey(secrets, userId);
  await inTransaction(db, async (trx) => {
    await lockCurrentUser(trx, userId);
    const before = await selectGitKey(trx, userId);
    await upsertGitKey(trx, key);
    await recordAudit(trx, {
      by: caller,
      organizationId: undefined,
      action: "write",
      resourceType: "git_ssh_key",
      // Each user has one key.
      resourceId: userId,
      target: key.publicKey,
      diff: {
        ...diffOf({ public_key: before?.public_key }, { public_key: key.publicKey }),
        private_key: { old: "", new: "", secret: true },
      },
    });
  });
  return readGitKey(db, secrets, userId);
}

async function ensureRow(db: Queryable, secrets: SecretBox, userId: string) {
  const known = await selectGitKey(db, userId);
  if (known !== undefined) return known;
  // Of two concurrent requests, the first one to insert a key wins.
  await insertGitKey(db, newKey(secrets, userId));
  const created = await selectGitKey(db, userId);
  if (created === undefined)
    throw new Error(`git key of user ${userId} was deleted while it was created`);
  return created;
}

function newKey(secrets: SecretBox, userId: string): NewGitKey {
  const { publicKey, privateKey } = createGitKey();
  return { userId, publicKey, privateKeyEncrypted: secrets.seal(privateKey) };
}

interface NewGitKey {
  readonly userId: string;
  readonly publicKey: string;
  readonly privateKeyEncrypted: Buffer;
}

/** Stores a key for a user who has none. */
async function insertGitKey(db: Queryable, key: NewGitKey): Promise<void> {
  await insertion(db, key)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Stores a key, replacing the user's previous one. */
async function upsertGitKey(db: Queryable, key: NewGitKey): Promise<void> {
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

function selectGitKey(db: Queryable, userId: string) {
  return db.selectFrom("git_ssh_keys").where("user_id", "=", userId).selectAll().executeTakeFirst();
}
