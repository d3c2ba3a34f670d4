import { createHash, randomUUID } from "node:crypto";

import { type SecretBox, SecretError } from "./secret-box.ts";

/** An agent's token as stored: found by its hash, and decrypted to hand it to the driver again. */
export interface KeptAgentToken {
  readonly token: string;
  readonly hash: Buffer;
  readonly sealed: Buffer;
}

/** Creates a token: a UUID, as stock agents expect. */
export function createAgentToken(secrets: SecretBox): KeptAgentToken {
  const token = randomUUID();
  return { token, hash: hashAgentToken(token), sealed: secrets.seal(token) };
}

/** Decrypts a token. Throws `SecretError`, also for one that was discarded because its key is lost (`rotateSecrets`). */
export function openAgentToken(secrets: Pick<SecretBox, "open">, sealed: Buffer): string {
  const token = secrets.open(sealed);
  if (token !== "") return token;
  throw new SecretError("discarded", "the agent's token was discarded: restart the workspace");
}

export function hashAgentToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
