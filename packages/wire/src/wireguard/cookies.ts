import { encodeUtf8 } from "../bytes/utf8.ts";
import { aeadTagBytes, type WireguardCrypto } from "./crypto.ts";
import type { LocalIdentity, RemoteIdentity } from "./identity.ts";
import { cookieLifeMs } from "./limits.ts";
import { type CookieReply, encodeCookieReply, macBytes, macsBytes } from "./message.ts";

const cookieBytes = 16;
const nonceBytes = 24;
const secretBytes = 32;

/** Writes the MACs of the handshake messages to one peer, the second with a cookie received from the peer. */
export class MacWriter {
  readonly #crypto: WireguardCrypto;
  readonly #remote: RemoteIdentity;
  #lastMac1: Uint8Array | undefined;
  #cookie: { readonly bytes: Uint8Array; readonly until: number } | undefined;

  constructor(crypto: WireguardCrypto, remote: RemoteIdentity) {
    this.#crypto = crypto;
    this.#remote = remote;
  }

  /** Fills in the MACs at the end of a message. */
  write(message: Uint8Array, now: number): void {
    const at = message.length - macsBytes;
    const mac1 = this.#crypto.mac(this.#remote.mac1Key, message.subarray(0, at));
    message.set(mac1, at);
    this.#lastMac1 = mac1;
    if (this.#cookie === undefined || now >= this.#cookie.until) return;
    const signed = message.subarray(0, at + macBytes);
    message.set(this.#crypto.mac(this.#cookie.bytes, signed), at + macBytes);
  }

  /** Accepts the cookie that answers the last message; returns false for any other. */
  receive({ nonce, encryptedCookie }: CookieReply, now: number): boolean {
    const mac1 = this.#lastMac1;
    if (mac1 === undefined) return false;
    const bytes = new Uint8Array(encryptedCookie);
    const cipher = this.#crypto.xchacha20Poly1305(this.#remote.cookieKey);
    if (!cipher.open(bytes, nonce, mac1)) return false;
    // A reply counts once, so that a copy of it costs nothing.
    this.#lastMac1 = undefined;
    this.#cookie = { bytes: bytes.subarray(0, cookieBytes), until: now + cookieLifeMs };
    return true;
  }
}

/** Checks the MACs of messages to us, and issues the cookies for the second. */
export class MacChecker {
  readonly #local: LocalIdentity;
  #secret = new Uint8Array(0);
  #secretUntil = Number.NEGATIVE_INFINITY;

  constructor(local: LocalIdentity) {
    this.#local = local;
  }

  /** Returns true if the sender knows our public key. */
  hasMac1(message: Uint8Array): boolean {
    const { crypto, mac1Key } = this.#local;
    const at = message.length - macsBytes;
    const mac1 = crypto.mac(mac1Key, message.subarray(0, at));
    return isEqual(mac1, message.subarray(at, at + macBytes));
  }

  /** Returns true if the sender has received a cookie at `source`. */
  hasMac2(message: Uint8Array, source: string, now: number): boolean {
    const at = message.length - macBytes;
    const mac2 = this.#local.crypto.mac(this.#cookieOf(source, now), message.subarray(0, at));
    return isEqual(mac2, message.subarray(at));
  }

  /** Returns the reply that gives the sender of a message a cookie. */
  replyTo(message: Uint8Array, receiver: number, source: string, now: number): Uint8Array {
    const { crypto, cookieKey } = this.#local;
    const at = message.length - macsBytes;
    const nonce = crypto.randomBytes(nonceBytes);
    const encryptedCookie = new Uint8Array(cookieBytes + aeadTagBytes);
    encryptedCookie.set(this.#cookieOf(source, now));
    const mac1 = message.subarray(at, at + macBytes);
    crypto.xchacha20Poly1305(cookieKey).seal(encryptedCookie, nonce, mac1);
    return encodeCookieReply({ receiver, nonce, encryptedCookie });
  }

  #cookieOf(source: string, now: number): Uint8Array {
    const { crypto } = this.#local;
    if (now >= this.#secretUntil) {
      this.#secret = Uint8Array.from(crypto.randomBytes(secretBytes));
      this.#secretUntil = now + cookieLifeMs;
    }
    return crypto.mac(this.#secret, encodeUtf8(source));
  }
}

/** Returns true if both have the same bytes, in a time that depends only on their lengths. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at += 1) difference |= (one[at] ?? 0) ^ (other[at] ?? 0);
  return difference === 0;
}
