import { loadSodium } from "@slipway/runtime/sodium";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { nodeCrypto } from "./node-crypto.ts";
import { sodiumCrypto } from "./sodium-crypto.ts";

/**
 * Loads the fastest cryptography that this machine has: libsodium, or that of Node.js where it has no build. `onFallback`
 * takes the reason for the latter.
 */
export async function loadNativeCrypto(
  onFallback?: (reason: string) => void,
): Promise<TailnetCrypto> {
  const sodium = loadSodium();
  if (typeof sodium !== "string") return sodiumCrypto(sodium);
  onFallback?.(sodium);
  return nodeCrypto;
}
