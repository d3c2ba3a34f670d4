import { loadSodium } from "@slipway/runtime/sodium";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { nodeCrypto } from "./node-crypto.ts";
import { sodiumCrypto } from "./sodium-crypto.ts";

/**
 * Loads the fastest cryptography available: libsodium, or that of Node.js on machines without a build of libsodium.
 * `onFallback` receives the reason for the fallback.
 */
export async function loadNativeCrypto(
  onFallback?: (reason: string) => void,
): Promise<TailnetCrypto> {
  const sodium = loadSodium();
  if (typeof sodium !== "string") return sodiumCrypto(sodium);
  onFallback?.(sodium);
  return nodeCrypto;
}
