import type { Sodium } from "@slipway/runtime/sodium";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { boxKeyOf, nobleCrypto } from "../crypto/noble-crypto.ts";
import { nativeHashes } from "./native-hashes.ts";

/**
 * Returns the cryptography of libsodium. BLAKE2s and HSalsa20 come from elsewhere: libsodium lacks them, and only
 * handshakes need them.
 */
export function sodiumCrypto(sodium: Sodium): TailnetCrypto {
  return {
    ...nobleCrypto,
    ...nativeHashes,
    createKeyPair: () => sodium.createKeyPair(),
    publicKeyOf: (privateKey) => sodium.publicKeyOf(privateKey),
    dh: (privateKey, publicKey) => sodium.dh(privateKey, publicKey),
    randomBytes: (length) => sodium.randomBytes(length),
    chacha20Poly1305: (key) => sodium.chacha20Poly1305(key),
    boxKey: (privateKey, publicKey) => {
      const shared = sodium.dh(privateKey, publicKey);
      return shared && boxKeyOf(shared);
    },
    sealBox: (key, nonce, message) => sodium.sealSecretBox(key, nonce, message),
    openBox: (key, nonce, box) => sodium.openSecretBox(key, nonce, box),
  };
}
