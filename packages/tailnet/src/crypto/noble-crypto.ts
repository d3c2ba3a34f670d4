import { chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { blake2s } from "@noble/hashes/blake2.js";
import { hmac } from "@noble/hashes/hmac.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { aeadTagBytes } from "@slipway/wire/wireguard/crypto";
import type { Aead } from "@slipway/wire/wireguard/crypto";

import { boxOverheadBytes, type TailnetCrypto } from "./crypto.ts";

const macBytes = 16;
const keyBytes = 32;

/** The cryptography of `@noble`, in JavaScript: for browsers, and for machines where nothing native loads. */
export const nobleCrypto: TailnetCrypto = {
  createKeyPair: () => {
    const { publicKey, secretKey } = x25519.keygen();
    return { publicKey, privateKey: secretKey };
  },
  publicKeyOf: (privateKey) => x25519.getPublicKey(privateKey),
  dh,
  hash: (bytes) => blake2s(bytes),
  mac: (key, bytes) => blake2s(bytes, { key, dkLen: macBytes }),
  hmac: (key, bytes) => hmac(blake2s, key, bytes),
  randomBytes: (length) => randomBytes(length),
  chacha20Poly1305: (key) => new NobleAead(chacha20poly1305, key),
  xchacha20Poly1305: (key) => new NobleAead(xchacha20poly1305, key),
  boxKey: (privateKey, publicKey) => {
    const shared = dh(privateKey, publicKey);
    return shared && boxKeyOf(shared);
  },
  sealBox: (key, nonce, message) => xsalsa20poly1305(key, nonce).encrypt(message),
  openBox: (key, nonce, box) => {
    if (box.length < boxOverheadBytes) return undefined;
    try {
      return xsalsa20poly1305(key, nonce).decrypt(box);
    } catch {
      // The lengths are right, so there is no other reason to throw.
      return undefined;
    }
  },
};

/** Derives the key of boxes from the result of a key exchange: HSalsa20 with a nonce of zeros. */
export function boxKeyOf(shared: Uint8Array): Uint8Array {
  const key = new Uint8Array(keyBytes);
  const sigma = new TextEncoder().encode("expand 32-byte k");
  hsalsa(words(sigma), words(shared), new Uint32Array(4), new Uint32Array(key.buffer));
  return key;
}

function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

function dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  try {
    return x25519.getSharedSecret(privateKey, publicKey);
  } catch (error) {
    if (privateKey.length === keyBytes && publicKey.length === keyBytes) return undefined;
    throw error;
  }
}

type NobleCipher = typeof chacha20poly1305;

class NobleAead implements Aead {
  readonly #cipher: NobleCipher;
  readonly #key: Uint8Array;

  constructor(cipher: NobleCipher, key: Uint8Array) {
    this.#cipher = cipher;
    this.#key = key.slice();
  }

  seal(bytes: Uint8Array, nonce: Uint8Array, additional?: Uint8Array): void {
    this.#cipher(this.#key, nonce, additional).encrypt(bytes.subarray(0, -aeadTagBytes), bytes);
  }

  open(bytes: Uint8Array, nonce: Uint8Array, additional?: Uint8Array): boolean {
    if (bytes.length < aeadTagBytes) return false;
    try {
      const message = bytes.subarray(0, -aeadTagBytes);
      this.#cipher(this.#key, nonce, additional).decrypt(bytes, message);
      return true;
    } catch {
      // The lengths are right, so there is no other reason to throw.
      return false;
    }
  }
}
