import { readUint32Le } from "../bytes/integers.ts";
import { MacChecker } from "./cookies.ts";
import type { LocalIdentity } from "./identity.ts";
import { TokenBuckets } from "./token-buckets.ts";

/** Limits on the handshakes that strangers can make us compute. */
export interface HandshakeLimits {
  /** The initiations per second above which senders must prove their address with a cookie (default: 64). */
  readonly loadPerSecond: number;
  /** The maximum initiations per second from one address under load (default: 20). */
  readonly perSourcePerSecond: number;
  /** The maximum initiations per second that are answered at all, and likewise cookies (default: 1000). */
  readonly maxPerSecond: number;
}

export const defaultHandshakeLimits: HandshakeLimits = {
  loadPerSecond: 64,
  perSourcePerSecond: 20,
  maxPerSecond: 1000,
};

/** The time for which load is assumed to last. */
const loadMs = 1000;
const sourceBurst = 5;
const maxSources = 4096;

/** The fate of an initiation; `reply` goes back to its sender. */
export type Admission =
  | { readonly kind: "admitted" }
  | { readonly kind: "dropped" }
  | { readonly kind: "challenged"; readonly reply: Uint8Array };

const admitted: Admission = { kind: "admitted" };
const dropped: Admission = { kind: "dropped" };

/**
 * Decides which initiations are worth a key exchange: those of senders who know our public key, and under load own
 * their address and do not ask too often (docs/protocol/tailnet.md §5.3).
 */
export class HandshakeGate {
  readonly #checker: MacChecker;
  readonly #calm: TokenBuckets;
  readonly #sources: TokenBuckets;
  readonly #answers: TokenBuckets;
  #loadedUntil = Number.NEGATIVE_INFINITY;

  constructor(local: LocalIdentity, limits: HandshakeLimits) {
    const { loadPerSecond, perSourcePerSecond, maxPerSecond } = limits;
    this.#checker = new MacChecker(local);
    this.#calm = new TokenBuckets({ perSecond: loadPerSecond, burst: loadPerSecond }, 1);
    this.#sources = new TokenBuckets(
      { perSecond: perSourcePerSecond, burst: sourceBurst },
      maxSources,
    );
    this.#answers = new TokenBuckets({ perSecond: maxPerSecond, burst: maxPerSecond }, 2);
  }

  /** Decides about an initiation from `source`, the address that a cookie is for. */
  admit(message: Uint8Array, source: string, now: number): Admission {
    if (!this.#checker.hasMac1(message)) return dropped;
    if (!this.#isLoaded(now)) return this.#answers.take("handshake", now) ? admitted : dropped;
    if (!this.#checker.hasMac2(message, source, now)) {
      if (!this.#answers.take("cookie", now)) return dropped;
      const sender = readUint32Le(message, 4);
      return { kind: "challenged", reply: this.#checker.replyTo(message, sender, source, now) };
    }
    if (!this.#sources.take(source, now)) return dropped;
    return this.#answers.take("handshake", now) ? admitted : dropped;
  }

  /** Returns true if a response is worth a key exchange; its index shows that we requested it. */
  isResponse(message: Uint8Array): boolean {
    return this.#checker.hasMac1(message);
  }

  #isLoaded(now: number): boolean {
    if (!this.#calm.take("all", now)) this.#loadedUntil = now + loadMs;
    return now < this.#loadedUntil;
  }
}
