import { randomBytes } from "node:crypto";

import type { Logger } from "@slipway/runtime";

import { type SecretBox, SecretError } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { insertMeshKey, selectMeshKey } from "./queries.ts";

/** The length of the key, as encoded; stock relays have 32 characters. */
const keyBytes = 24;

/**
 * Returns the key by which the relays of a deployment know each other; the first server creates it. Undefined if this server
 * cannot decrypt it: then its relay stands alone.
 */
export async function readMeshKey(
  db: Queryable,
  secrets: SecretBox,
  logger: Logger,
): Promise<string | undefined> {
  let sealed = await selectMeshKey(db);
  if (sealed === undefined) {
    await insertMeshKey(db, secrets.seal(randomBytes(keyBytes).toString("base64url")));
    sealed = await selectMeshKey(db);
  }
  try {
    return sealed && secrets.open(sealed);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    logger.warn(
      { code: error.code },
      "the relay does not reach other replicas: their key cannot be decrypted",
    );
    return undefined;
  }
}
