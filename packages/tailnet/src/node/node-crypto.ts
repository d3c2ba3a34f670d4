import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from "node:crypto";

import { aeadTagBytes } from "@slipway/wire/wireguard/crypto";
import type { Aead } from "@slipway/wire/wireguard/crypto";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { boxKeyOf, nobleCrypto } from "../crypto/noble-crypto.ts";
import { nativeHashes } from "./native-hashes.ts";

const algorithm = "chacha20-poly1305";
const options = { authTagLength: aeadTagBytes } as const;

/** The bytes before an X25519 key in PKCS #8 and in SPKI (RFC 8410). */
const privateKeyHead = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicKeyHead = Buffer.from("302a300506032b656e032100", "hex");

/** The cryptography of Node.js, with `@noble` for algorithms that OpenSSL lacks. */
export const nodeCrypto: TailnetCrypto = {
  ...nobleCrypto,
  ...nativeHashes,
  dh,
  chacha20Poly1305: (key) => new NodeAead(key),
  boxKey: (privateKey, publicKey) => {
    const shared = dh(privateKey, publicKey);
    return shared && boxKeyOf(shared);
  },
};

function dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  const keys = {
    privateKey: createPrivateKey({
      key: Buffer.concat([privateKeyHead, privateKey]),
      format: "der",
      type: "pkcs8",
    }),
    publicKey: createPublicKey({
      key: Buffer.concat([publicKeyHead, publicKey]),
      format: "der",
      type: "spki",
    }),
  };
  try {
    return Uint8Array.from(diffieHellman(keys));
  } catch {
    // The keys are well formed, so the only reason is a public key of low order.
    return undefined;
  }
}

class NodeAead implements Aead {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key.slice();
  }

  seal(bytes: Uint8Array, nonce: Uint8Array, additional?: Uint8Array): void {
    const messageBytes = bytes.length - aeadTagBytes;
    const cipher = createCipheriv(algorithm, this.#key, nonce, options);
    if (additional !== undefined) cipher.setAAD(additional, { plaintextLength: messageBytes });
    bytes.set(cipher.update(bytes.subarray(0, messageBytes)));
    cipher.final();
    bytes.set(cipher.getAuthTag(), messageBytes);
  }

  open(bytes: Uint8Array, nonce: Uint8Array, additional?: Uint8Array): boolean {
    const messageBytes = bytes.length - aeadTagBytes;
    if (messageBytes < 0) return false;
    const decipher = createDecipheriv(algorithm, this.#key, nonce, options);
    if (additional !== undefined) decipher.setAAD(additional, { plaintextLength: messageBytes });
    decipher.setAuthTag(bytes.subarray(messageBytes));
    const message = decipher.update(bytes.subarray(0, messageBytes));
    try {
      decipher.final();
    } catch {
      // There is no other reason to throw.
      return false;
    }
    bytes.set(message);
    return true;
  }
}
