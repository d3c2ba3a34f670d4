import { randomBytes } from "node:crypto";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";

/** The length of the key, as encoded; stock relays have 32 characters. */
const keyBytes = 24;

/** Creates the key by which the relays of a deployment recognize each other, unless another server has done so. */
export async function ensureMeshKey(
  db: Queryable,
  secrets: Pick<SecretBox, "seal">,
): Promise<void> {
  if ((await selectMeshKey(db)) !== undefined) return;
  await insertMeshKey(db, secrets.seal(randomBytes(keyBytes).toString("base64url")));
}

/** Returns that key. Throws `SecretError`. */
export async function readMeshKey(
  db: Queryable,
  secrets: Pick<SecretBox, "open">,
): Promise<string> {
  const sealed = await selectMeshKey(db);
  if (sealed === undefined) throw new Error("the mesh key is missing from the database");
  return secrets.open(sealed);
}

/** Stores a key unless there is one. */
async function insertMeshKey(db: Queryable, sealed: Buffer): Promise<void> {
  await db
    .insertInto("relay_mesh_keys")
    .values({ key_encrypted: sealed })
    .onConflict((conflict) => conflict.column("is_only").doNothing())
    .execute();
}

async function selectMeshKey(db: Queryable): Promise<Buffer | undefined> {
  const row = await db.selectFrom("relay_mesh_keys").select("key_encrypted").executeTakeFirst();
  return row?.key_encrypted;
}
