import { loadSodium } from "@slipway/runtime/sodium";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { nodeCrypto } from "./node-crypto.ts";
import { sodiumCrypto } from "./sodium-crypto.ts";

/** Loads the fastest cryptography that this machine has: libsodium, or that of Node.js where it has no build. */
export async function loadNativeCrypto(): Promise<TailnetCrypto> {
  const sodium = loadSodium();
  return sodium === undefined ? nodeCrypto : sodiumCrypto(sodium);
}
