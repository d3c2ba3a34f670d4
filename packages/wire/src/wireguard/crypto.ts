/** A pair of X25519 keys, 32 bytes each. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

export interface KeyExchange {
  createKeyPair(): KeyPair;
  /** Returns the public key of a private one. */
  publicKeyOf(privateKey: Uint8Array): Uint8Array;
  /** X25519; undefined for a public key of low order, with which the result would be all zeros. */
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
}

export interface Hashes {
  /** BLAKE2s with 32 bytes. */
  hash(bytes: Uint8Array): Uint8Array;
  /** Keyed BLAKE2s with 16 bytes. */
  mac(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** HMAC-BLAKE2s with 32 bytes. */
  hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array;
}

/** The bytes that a cipher adds to a message. */
export const aeadTagBytes = 16;

/** An authenticated cipher with its key. It works in place, so that a packet is never copied. */
export interface Aead {
  /** Encrypts all of `bytes` but the last 16, which become the tag. */
  seal(bytes: Uint8Array, nonce: Uint8Array, additional?: Uint8Array): void;
  /**
   * Decrypts all of `bytes` but the last 16, which are the tag. Returns false for a forgery, whose bytes are
   * destroyed.
   */
  open(bytes: Uint8Array, nonce: Uint8Array, additional?: Uint8Array): boolean;
}

export interface Ciphers {
  randomBytes(length: number): Uint8Array;
  /** ChaCha20-Poly1305 (RFC 8439), nonces of 12 bytes. */
  chacha20Poly1305(key: Uint8Array): Aead;
  /** XChaCha20-Poly1305, nonces of 24 bytes. */
  xchacha20Poly1305(key: Uint8Array): Aead;
}

/** The cryptography of WireGuard, which the caller provides (docs/protocol/tailnet.md §5). Keys have 32 bytes. */
export interface WireguardCrypto extends KeyExchange, Hashes, Ciphers {}
