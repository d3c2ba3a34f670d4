import type { TailnetCrypto } from "../crypto/crypto.ts";
import { nodeCrypto } from "./node-crypto.ts";
import { sodiumCrypto } from "./sodium-crypto.ts";

/** Loads the fastest cryptography that this machine has: libsodium, or that of Node.js where it has no build. */
export async function loadNativeCrypto(): Promise<TailnetCrypto> {
  try {
    const { default: sodium } = await import("sodium-native");
    return sodiumCrypto(sodium);
  } catch {
    // A platform without a prebuilt library, or a bundle that was moved away from its packages.
    return nodeCrypto;
  }
}
