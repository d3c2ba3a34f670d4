import type { GitKey } from "@slipway/api";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf, recordAudit } from "../audit/service.ts";
import { insertGitKey, type NewGitKey, selectGitKey, upsertGitKey } from "./git-key-queries.ts";
import { createGitKey, type GitKeyTexts } from "./git-key.ts";

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

/** Replaces a user's key with a new one. */
export async function replaceGitKey(
  db: Database,
  secrets: SecretBox,
  caller: UserCaller,
  userId: string,
): Promise<GitKey> {
  const key = newKey(secrets, userId);
  await inTransaction(db, async (trx) => {
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
  // Another request may create one at the same time: the first one stays.
  await insertGitKey(db, newKey(secrets, userId));
  const made = await selectGitKey(db, userId);
  if (made === undefined) throw new Error("the user's git key is gone again");
  return made;
}

function newKey(secrets: SecretBox, userId: string): NewGitKey {
  const { publicKey, privateKey } = createGitKey();
  return { userId, publicKey, privateKeyEncrypted: secrets.seal(privateKey) };
}
