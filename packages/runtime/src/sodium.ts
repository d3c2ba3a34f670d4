import { createRequire } from "node:module";

import { errorText } from "./errors.ts";

/** The functions of the addon that we use. It does not check the lengths of its arguments. */
interface Addon {
  crypto_box_keypair(publicKey: Uint8Array, privateKey: Uint8Array): number;
  crypto_scalarmult_base(publicKey: Uint8Array, privateKey: Uint8Array): number;
  crypto_scalarmult(shared: Uint8Array, privateKey: Uint8Array, publicKey: Uint8Array): number;
  randombytes_buf(buffer: ArrayBuffer, start: number, length: number): void;
  crypto_box_easy(
    box: Uint8Array,
    message: Uint8Array,
    nonce: Uint8Array,
    publicKey: Uint8Array,
    privateKey: Uint8Array,
  ): number;
  crypto_box_open_easy(
    message: Uint8Array,
    box: Uint8Array,
    nonce: Uint8Array,
    publicKey: Uint8Array,
    privateKey: Uint8Array,
  ): boolean;
  crypto_secretbox_easy(
    box: Uint8Array,
    message: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  crypto_secretbox_open_easy(
    message: Uint8Array,
    box: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): boolean;
  crypto_aead_chacha20poly1305_ietf_encrypt(
    box: Uint8Array,
    message: Uint8Array,
    additional: Uint8Array | undefined,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  crypto_aead_chacha20poly1305_ietf_decrypt(
    message: Uint8Array,
    box: Uint8Array,
    additional: Uint8Array | undefined,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
}

const keyBytes = 32;
const boxNonceBytes = 24;
const aeadNonceBytes = 12;
const tagBytes = 16;

/** The keys of a NaCl `crypto_box` and its nonce of 24 bytes. */
interface BoxKeys {
  readonly nonce: Uint8Array;
  /** The public key of the other side. */
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/**
 * The functions of libsodium that we use. Keys have 32 bytes, nonces of boxes 24; other lengths throw `RangeError`. A
 * public key of low order or a box of other keys results in undefined or false.
 */
export class Sodium {
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  createKeyPair(): { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array } {
    const publicKey = new Uint8Array(keyBytes);
    const privateKey = new Uint8Array(keyBytes);
    this.#addon.crypto_box_keypair(publicKey, privateKey);
    return { publicKey, privateKey };
  }

  publicKeyOf(privateKey: Uint8Array): Uint8Array {
    checkLength("a private key", privateKey, keyBytes);
    const publicKey = new Uint8Array(keyBytes);
    this.#addon.crypto_scalarmult_base(publicKey, privateKey);
    return publicKey;
  }

  /** Returns the secret that both sides can compute (X25519). */
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    checkLength("a private key", privateKey, keyBytes);
    checkLength("a public key", publicKey, keyBytes);
    const shared = new Uint8Array(keyBytes);
    return this.#addon.crypto_scalarmult(shared, privateKey, publicKey) === 0 ? shared : undefined;
  }

  randomBytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#addon.randombytes_buf(bytes.buffer, 0, length);
    return bytes;
  }

  /** Encrypts and authenticates (`crypto_box`); returns MAC and ciphertext. Throws `RangeError` for a public key of low order. */
  sealBox(message: Uint8Array, { nonce, publicKey, privateKey }: BoxKeys): Uint8Array {
    checkBoxKeys(nonce, publicKey, privateKey);
    const box = new Uint8Array(tagBytes + message.length);
    if (this.#addon.crypto_box_easy(box, message, nonce, publicKey, privateKey) === 0) return box;
    throw new RangeError("the public key is of low order");
  }

  openBox(box: Uint8Array, { nonce, publicKey, privateKey }: BoxKeys): Uint8Array | undefined {
    checkBoxKeys(nonce, publicKey, privateKey);
    if (box.length < tagBytes) return undefined;
    const message = new Uint8Array(box.length - tagBytes);
    const isOpen = this.#addon.crypto_box_open_easy(message, box, nonce, publicKey, privateKey);
    return isOpen ? message : undefined;
  }

  /** Encrypts and authenticates (`crypto_secretbox`); returns MAC and ciphertext. */
  sealSecretBox(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): Uint8Array {
    checkBoxKeys(nonce, key);
    const box = new Uint8Array(tagBytes + message.length);
    this.#addon.crypto_secretbox_easy(box, message, nonce, key);
    return box;
  }

  openSecretBox(key: Uint8Array, nonce: Uint8Array, box: Uint8Array): Uint8Array | undefined {
    checkBoxKeys(nonce, key);
    if (box.length < tagBytes) return undefined;
    const message = new Uint8Array(box.length - tagBytes);
    return this.#addon.crypto_secretbox_open_easy(message, box, nonce, key) ? message : undefined;
  }

  chacha20Poly1305(key: Uint8Array): SodiumAead {
    return new SodiumAead(this.#addon, key);
  }
}

/** ChaCha20-Poly1305 (RFC 8439) in place, with nonces of 12 bytes. */
class SodiumAead {
  readonly #addon: Addon;
  readonly #key: Uint8Array;

  constructor(addon: Addon, key: Uint8Array) {
    checkLength("a key", key, keyBytes);
    this.#addon = addon;
    this.#key = key.slice();
  }

  /** Encrypts all of `bytes` but the last 16, which become the tag. */
  seal(bytes: Uint8Array, nonce: Uint8Array, additional?: Uint8Array): void {
    checkLength("a nonce", nonce, aeadNonceBytes);
    if (bytes.length < tagBytes) throw new RangeError("no room for the tag");
    const message = bytes.subarray(0, bytes.length - tagBytes);
    this.#addon.crypto_aead_chacha20poly1305_ietf_encrypt(
      bytes,
      message,
      additional,
      nonce,
      this.#key,
    );
  }

  /**
   * Decrypts all of `bytes` but the last 16, which are the tag. Returns false for a forgery, whose bytes are
   * destroyed.
   */
  open(bytes: Uint8Array, nonce: Uint8Array, additional?: Uint8Array): boolean {
    checkLength("a nonce", nonce, aeadNonceBytes);
    if (bytes.length < tagBytes) return false;
    const message = bytes.subarray(0, bytes.length - tagBytes);
    const length = this.#addon.crypto_aead_chacha20poly1305_ietf_decrypt(
      message,
      bytes,
      additional,
      nonce,
      this.#key,
    );
    return length >= 0;
  }
}

function checkBoxKeys(nonce: Uint8Array, ...keys: readonly Uint8Array[]): void {
  checkLength("a nonce", nonce, boxNonceBytes);
  for (const key of keys) checkLength("a key", key, keyBytes);
}

function checkLength(what: string, { length }: Uint8Array, wanted: number): void {
  if (length !== wanted) throw new RangeError(`${what} has ${length} bytes, wanted ${wanted}`);
}

/**
 * Loads libsodium from the addon of the package `sodium-native`: the package's own JavaScript wraps each of 400
 * functions and looks for the addon with eighteen files, which costs a bare process 9 ms and 5 MB more. If loading
 * fails, returns the reason: on a platform without an addon, with another C library, and beside a bundle that was
 * moved away from its packages.
 */
export function loadSodium(path = addonPath()): Sodium | string {
  try {
    // An import would load the loader of ES modules first.
    const addon: unknown = createRequire(import.meta.url)(path);
    return isAddon(addon) ? new Sodium(addon) : `${path} is not the addon of libsodium`;
  } catch (error) {
    // The rest of the text is the stack of requiring files.
    const [reason = ""] = errorText(error).split("\n");
    return reason;
  }
}

function addonPath(): string {
  const { platform, arch } = process;
  return `sodium-native/prebuilds/${platform}-${arch}/sodium-native.node`;
}

function isAddon(value: unknown): value is Addon {
  return typeof value === "object" && value !== null && "crypto_scalarmult" in value;
}
