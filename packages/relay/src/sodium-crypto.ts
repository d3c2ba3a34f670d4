import { loadSodium } from "@slipway/runtime/sodium";

import type { RelayCrypto } from "./crypto.ts";

const sodium = loadSodium();
if (sodium === undefined) {
  throw new Error(`sodium-native has no library for ${process.platform} on ${process.arch}`);
}

/** The cryptography of libsodium. */
export const sodiumCrypto: RelayCrypto = {
  createKeyPair: () => sodium.createKeyPair(),
  randomBytes: (length) => sodium.randomBytes(length),
  sealBox: (message, keys) => sodium.sealBox(message, keys),
  openBox: (box, keys) => sodium.openBox(box, keys),
};
