import { aeadTagBytes, type Aead } from "@slipway/wire";
import type Sodium from "sodium-native";

import { boxOverheadBytes, type TailnetCrypto } from "../crypto/crypto.ts";
import { boxKeyOf, nobleCrypto } from "../crypto/noble-crypto.ts";

// The published types lack these.
declare module "sodium-native" {
  function crypto_aead_chacha20poly1305_ietf_encrypt(
    box: Uint8Array,
    message: Uint8Array,
    additional: Uint8Array | null,
    secretNonce: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  function crypto_aead_chacha20poly1305_ietf_decrypt(
    message: Uint8Array,
    secretNonce: null,
    box: Uint8Array,
    additional: Uint8Array | null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
}

type SodiumLibrary = typeof Sodium;

/** Returns the cryptography of libsodium; it lacks BLAKE2s and HSalsa20, which a handshake needs and no packet. */
export function sodiumCrypto(sodium: SodiumLibrary): TailnetCrypto {
  const dh = (privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined => {
    const shared = Buffer.alloc(sodium.crypto_scalarmult_BYTES);
    const keys = [asBuffer(privateKey), asBuffer(publicKey)] as const;
    return succeeds(() => sodium.crypto_scalarmult(shared, ...keys)) ? plain(shared) : undefined;
  };
  return {
    ...nobleCrypto,
    createKeyPair: () => {
      const publicKey = Buffer.alloc(sodium.crypto_box_PUBLICKEYBYTES);
      const privateKey = Buffer.alloc(sodium.crypto_box_SECRETKEYBYTES);
      sodium.crypto_box_keypair(publicKey, privateKey);
      return { publicKey: plain(publicKey), privateKey: plain(privateKey) };
    },
    publicKeyOf: (privateKey) => {
      const publicKey = Buffer.alloc(sodium.crypto_scalarmult_BYTES);
      sodium.crypto_scalarmult_base(publicKey, asBuffer(privateKey));
      return plain(publicKey);
    },
    dh,
    randomBytes: (length) => {
      const bytes = Buffer.alloc(length);
      sodium.randombytes_buf(bytes);
      return plain(bytes);
    },
    chacha20Poly1305: (key) => new SodiumAead(sodium, key),
    boxKey: (privateKey, publicKey) => {
      const shared = dh(privateKey, publicKey);
      return shared && boxKeyOf(shared);
    },
    sealBox: (key, nonce, message) => {
      const box = Buffer.alloc(boxOverheadBytes + message.length);
      sodium.crypto_secretbox_easy(box, asBuffer(message), asBuffer(nonce), asBuffer(key));
      return plain(box);
    },
    openBox: (key, nonce, box) => {
      if (box.length < boxOverheadBytes) return undefined;
      const message = Buffer.alloc(box.length - boxOverheadBytes);
      const isOpen = sodium.crypto_secretbox_open_easy(
        message,
        asBuffer(box),
        asBuffer(nonce),
        asBuffer(key),
      );
      return isOpen ? plain(message) : undefined;
    },
  };
}

class SodiumAead implements Aead {
  readonly #sodium: SodiumLibrary;
  readonly #key: Uint8Array;

  constructor(sodium: SodiumLibrary, key: Uint8Array) {
    this.#sodium = sodium;
    this.#key = key.slice();
  }

  seal(bytes: Uint8Array, nonce: Uint8Array, additional: Uint8Array | null = null): void {
    const message = bytes.subarray(0, bytes.length - aeadTagBytes);
    this.#sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      bytes,
      message,
      additional,
      null,
      nonce,
      this.#key,
    );
  }

  open(bytes: Uint8Array, nonce: Uint8Array, additional: Uint8Array | null = null): boolean {
    if (bytes.length < aeadTagBytes) return false;
    const message = bytes.subarray(0, bytes.length - aeadTagBytes);
    try {
      this.#sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
        message,
        null,
        bytes,
        additional,
        nonce,
        this.#key,
      );
      return true;
    } catch {
      // It throws for nothing else: the lengths are right.
      return false;
    }
  }
}

function succeeds(call: () => void): boolean {
  try {
    call();
    return true;
  } catch {
    // The one reason is a public key of low order.
    return false;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns the same bytes without the class of Node.js, whose `slice` is a view. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
