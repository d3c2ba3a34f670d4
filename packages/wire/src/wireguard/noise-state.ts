import { joinBytes } from "../bytes/join.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";
import { aeadTagBytes, type Hashes, type WireguardCrypto } from "./crypto.ts";

const construction = encodeUtf8("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s");
const identifier = encodeUtf8("WireGuard v1 zx2c4 Jason@zx2c4.com");
/** Each key of a handshake encrypts one message. */
const zeroNonce = new Uint8Array(12);

/** The chaining key and the hash of a handshake, which both sides keep in step (docs/protocol/tailnet.md §5). */
export class NoiseState {
  readonly #crypto: WireguardCrypto;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;

  private constructor(crypto: WireguardCrypto, chainingKey: Uint8Array, hash: Uint8Array) {
    this.#crypto = crypto;
    this.#chainingKey = chainingKey;
    this.#hash = hash;
  }

  /** Begins a handshake with the responder that has this key. */
  static start(crypto: WireguardCrypto, responderKey: Uint8Array): NoiseState {
    const chainingKey = crypto.hash(construction);
    const state = new NoiseState(crypto, chainingKey, chainingKey);
    state.mixHash(identifier);
    state.mixHash(responderKey);
    return state;
  }

  /** Returns a copy, for a message that may turn out to be forged. */
  copy(): NoiseState {
    return new NoiseState(this.#crypto, this.#chainingKey, this.#hash);
  }

  mixHash(bytes: Uint8Array): void {
    this.#hash = this.#crypto.hash(joinBytes([this.#hash, bytes]));
  }

  /** Mixes in a secret (KDF1), or shared knowledge. */
  mixKey(input: Uint8Array): void {
    [this.#chainingKey] = deriveKeys(this.#crypto, this.#chainingKey, input);
  }

  /** Mixes in a secret and returns a key for one message (KDF2). */
  mixKeyForMessage(input: Uint8Array): Uint8Array {
    const [chainingKey, key] = deriveKeys(this.#crypto, this.#chainingKey, input);
    this.#chainingKey = chainingKey;
    return key;
  }

  /** Mixes in a preshared key, and returns a key for one message (KDF3). */
  mixPresharedKey(presharedKey: Uint8Array): Uint8Array {
    const [chainingKey, mixed, key] = deriveKeys(this.#crypto, this.#chainingKey, presharedKey);
    this.#chainingKey = chainingKey;
    this.mixHash(mixed);
    return key;
  }

  /** Encrypts a part of a message, bound to everything before it. */
  seal(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + aeadTagBytes);
    sealed.set(plaintext);
    this.#crypto.chacha20Poly1305(key).seal(sealed, zeroNonce, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  /** Decrypts a part of a message to a copy; undefined for a forgery. */
  open(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const bytes = new Uint8Array(sealed);
    if (!this.#crypto.chacha20Poly1305(key).open(bytes, zeroNonce, this.#hash)) return undefined;
    this.mixHash(sealed);
    return bytes.subarray(0, bytes.length - aeadTagBytes);
  }

  /** Returns the two keys of the session: the first is for data from the initiator. */
  split(): readonly [Uint8Array, Uint8Array] {
    const [first, second] = deriveKeys(this.#crypto, this.#chainingKey, new Uint8Array(0));
    return [first, second];
  }
}

/** HKDF with the chaining key as its salt. */
function deriveKeys(
  crypto: Hashes,
  chainingKey: Uint8Array,
  input: Uint8Array,
): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const secret = crypto.hmac(chainingKey, input);
  const first = crypto.hmac(secret, Uint8Array.of(1));
  const second = crypto.hmac(secret, joinBytes([first, Uint8Array.of(2)]));
  const third = crypto.hmac(secret, joinBytes([second, Uint8Array.of(3)]));
  return [first, second, third];
}
