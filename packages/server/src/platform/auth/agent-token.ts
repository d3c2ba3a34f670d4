import { createHash, randomUUID } from "node:crypto";

import type { SecretBox } from "./secret-box.ts";

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

export function hashAgentToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
