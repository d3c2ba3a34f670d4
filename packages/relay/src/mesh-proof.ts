import { createHmac, timingSafeEqual } from "node:crypto";

/** The keys of one connection between relays: of the one that accepted it, and of the one that logs in. */
interface ConnectionKeys {
  readonly serverKey: Uint8Array;
  readonly clientKey: Uint8Array;
}

/**
 * Returns what a relay sends as its mesh key: a proof that it has the key, which is worth nothing on any other connection. The
 * key itself is never sent, as whoever answers a connection may be somebody else.
 */
export function meshProof(meshKey: string, keys: ConnectionKeys): string {
  return digest(meshKey, keys).toString("base64url");
}

/** Returns whether a login proves that its sender has the key; never without a key. */
export function isMeshProof(proof: string, meshKey: string, keys: ConnectionKeys): boolean {
  if (meshKey === "") return false;
  const [found, wanted] = [Buffer.from(proof), Buffer.from(meshProof(meshKey, keys))];
  return found.length === wanted.length && timingSafeEqual(found, wanted);
}

function digest(meshKey: string, { serverKey, clientKey }: ConnectionKeys): Buffer {
  return createHmac("sha256", meshKey)
    .update("slipway relay mesh\0")
    .update(serverKey)
    .update(clientKey)
    .digest();
}
