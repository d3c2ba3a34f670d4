import { loadSodium } from "@slipway/runtime/sodium";

import type { RelayCrypto } from "./crypto.ts";

const sodium = loadSodium();
if (typeof sodium === "string") throw new Error(`libsodium was not loaded: ${sodium}`);

/** The cryptography of libsodium. */
export const sodiumCrypto: RelayCrypto = {
  createKeyPair: () => sodium.createKeyPair(),
  randomBytes: (length) => sodium.randomBytes(length),
  sealBox: (message, keys) => sodium.sealBox(message, keys),
  openBox: (box, keys) => sodium.openBox(box, keys),
  sharedSecret: ({ privateKey, publicKey }) => sodium.dh(privateKey, publicKey),
  openAead: (key) => sodium.chacha20Poly1305(key),
};
