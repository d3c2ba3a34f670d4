import { loadSodium } from "@slipway/runtime/sodium";

/** A pair of X25519 keys, 32 bytes each. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** One direction of a NaCl `crypto_box`; the nonce has 24 bytes. */
export interface BoxKeys {
  readonly nonce: Uint8Array;
  /** The public key of the other side. */
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** An authenticated cipher in place (RFC 8439), with nonces of 12 bytes; the last 16 bytes are the tag. */
export interface Aead {
  seal(bytes: Uint8Array, nonce: Uint8Array, additional: Uint8Array): void;
  /** Returns false for a forgery, whose bytes are destroyed. */
  open(bytes: Uint8Array, nonce: Uint8Array, additional: Uint8Array): boolean;
}

/** The cryptography of a login (docs/protocol/tailnet.md §4.4). */
export interface RelayCrypto {
  createKeyPair(): KeyPair;
  randomBytes(length: number): Uint8Array;
  /** Encrypts and authenticates; returns MAC and ciphertext. */
  sealBox(message: Uint8Array, keys: BoxKeys): Uint8Array;
  /** Returns the message; undefined if the box was not made with these keys, or the public key is unusable. */
  openBox(box: Uint8Array, keys: BoxKeys): Uint8Array | undefined;
  /** Returns the secret that both owners of two key pairs can compute; undefined if the public key is unusable. */
  sharedSecret(keys: Pick<BoxKeys, "publicKey" | "privateKey">): Uint8Array | undefined;
  openAead(key: Uint8Array): Aead;
}

const sodium = loadSodium();
if (typeof sodium === "string") throw new Error(`cannot load libsodium: ${sodium}`);

/** The cryptography of libsodium. */
export const sodiumCrypto: RelayCrypto = {
  createKeyPair: () => sodium.createKeyPair(),
  randomBytes: (length) => sodium.randomBytes(length),
  sealBox: (message, keys) => sodium.sealBox(message, keys),
  openBox: (box, keys) => sodium.openBox(box, keys),
  sharedSecret: ({ privateKey, publicKey }) => sodium.dh(privateKey, publicKey),
  openAead: (key) => sodium.chacha20Poly1305(key),
};
