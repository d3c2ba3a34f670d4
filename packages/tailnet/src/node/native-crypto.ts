import { createRequire } from "node:module";

import type Sodium from "sodium-native";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { nodeCrypto } from "./node-crypto.ts";
import { sodiumCrypto } from "./sodium-crypto.ts";

/** Loads the fastest cryptography that this machine has: libsodium, or that of Node.js where it has no build. */
export async function loadNativeCrypto(): Promise<TailnetCrypto> {
  try {
    // An import would load the loader of ES modules first.
    const sodium: unknown = createRequire(import.meta.url)("sodium-native");
    if (isSodium(sodium)) return sodiumCrypto(sodium);
  } catch {
    // A platform without a prebuilt library, or a bundle that was moved away from its packages.
  }
  return nodeCrypto;
}

function isSodium(value: unknown): value is typeof Sodium {
  return typeof value === "object" && value !== null && "crypto_scalarmult" in value;
}
