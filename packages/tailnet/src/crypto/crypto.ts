import type { WireguardCrypto } from "@slipway/wire/wireguard/crypto";

/** NaCl `crypto_box` in two steps, so that a pair of keys costs one key exchange. Nonces have 24 bytes. */
export interface Boxes {
  /** Returns the key for all boxes between two sides; undefined for a public key of low order. */
  boxKey(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  /** Encrypts and authenticates; returns MAC and ciphertext. */
  sealBox(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): Uint8Array;
  /** Returns the message; undefined if the box was not made with this key and nonce. */
  openBox(key: Uint8Array, nonce: Uint8Array, box: Uint8Array): Uint8Array | undefined;
}

/** The cryptography of a peer: of WireGuard, disco and relays. Keys have 32 bytes. */
export interface TailnetCrypto extends WireguardCrypto, Boxes {}

/** The bytes that a box adds to its message. */
export const boxOverheadBytes = 16;
