import { type Clock, errorText, type Logger, Wake } from "@slipway/runtime";

import type { CloseReason } from "./counters.ts";
import { type RelayLimits, strangerTimeoutMs } from "./limits.ts";

/** The keys that peers have published, each as 64 hexadecimal digits. */
export interface PublishedKeys {
  /** Resolves to those of the keys that a peer has published. */
  find(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Calls `listener` with keys as they are published, as far as this process learns of it. The listener must be quick
   * and not throw.
   */
  onPublished(listener: (key: string) => void): Disposable;
}

/** A connection that may or may not be a peer's. */
export interface Visitor {
  /** The address of the connection; empty if it has none. */
  readonly address: string;
  /** Treats it as a peer from now on. */
  admit(): void;
  /** Treats it as a stranger again. */
  demote(): void;
  close(reason: CloseReason): void;
}

/** A visitor that has logged in. */
interface Guest {
  readonly visitor: Visitor;
  readonly key: string;
  /** The time at which a stranger's connection is closed. */
  untilMs: number;
  lookAtMs: number;
  waitMs: number;
}

interface StrangersNeeds {
  readonly keys: PublishedKeys;
  readonly limits: Pick<RelayLimits, "maxStrangers" | "maxStrangersPerAddress">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The interval between lookups of a stranger's key: doubled each time, from the first value up to the second. */
const firstWaitMs = 250;
const maxWaitMs = 5_000;
/** The interval between lookups of a peer's key, whose access may have been revoked. */
const peerWaitMs = 300_000;
/** The number of keys in one lookup. */
const maxKeysAtOnce = 256;
/** The time before a failed lookup is repeated. */
const retryMs = 1_000;

/**
 * Distinguishes peers, whose keys are published, from strangers. Peers may log in before they publish their key, at
 * this replica or another, so the keys of strangers are looked up repeatedly until their connections are closed.
 *
 *   stranger --key published--> peer        peer --key published no more--> stranger
 *   stranger --30 s after its login, one stranger too many--> closed
 */
export class Strangers {
  readonly #needs: StrangersNeeds;
  /** The strangers by address, in the order of their connections, both before and after their login. */
  readonly #byAddress = new Map<string, Set<Visitor>>();
  #size = 0;
  /** The strangers that have logged in, also by key. */
  readonly #guests = new Map<Visitor, Guest>();
  readonly #byKey = new Map<string, Set<Guest>>();
  /** The peers, in the order of the next lookups of their keys. */
  readonly #peers = new Map<Visitor, Guest>();
  readonly #wake = new Wake();

  constructor(needs: StrangersNeeds) {
    this.#needs = needs;
  }

  /** The number of strangers. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a connection. If there are too many, closes the oldest: of its address, or of the address that has the most.
   */
  add(visitor: Visitor): void {
    const { maxStrangers, maxStrangersPerAddress } = this.#needs.limits;
    const ofAddress = this.#byAddress.get(visitor.address) ?? new Set();
    this.#byAddress.set(visitor.address, ofAddress);
    ofAddress.add(visitor);
    this.#size += 1;
    if (ofAddress.size > maxStrangersPerAddress) closeOldest(ofAddress);
    else if (this.#size > maxStrangers) closeOldest(this.#largest());
  }

  /** Starts looking up the key of a stranger, which has logged in. */
  login(visitor: Visitor, key: string): void {
    const nowMs = this.#needs.clock.monotonic();
    const untilMs = nowMs + strangerTimeoutMs;
    this.#await({ visitor, key, untilMs, lookAtMs: nowMs, waitMs: firstWaitMs });
    this.#wake.wake();
  }

  /** Forgets a connection: it is closed, or belongs to another relay. */
  remove(visitor: Visitor): void {
    this.#peers.delete(visitor);
    const ofAddress = this.#byAddress.get(visitor.address);
    if (ofAddress?.delete(visitor) !== true) return;
    this.#size -= 1;
    if (ofAddress.size === 0) this.#byAddress.delete(visitor.address);
    const guest = this.#guests.get(visitor);
    if (guest === undefined) return;
    this.#guests.delete(visitor);
    const ofKey = this.#byKey.get(guest.key);
    ofKey?.delete(guest);
    if (ofKey?.size === 0) this.#byKey.delete(guest.key);
  }

  /** Looks up keys until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { keys, clock, logger } = this.#needs;
    using _ = keys.onPublished((key) => this.#admit(key));
    while (!signal.aborted) {
      const due = this.#due(clock.monotonic());
      try {
        if (due.length > 0) await this.#look(due);
      } catch (error) {
        logger.warn({ error: errorText(error) }, "cannot look up the keys of relay clients");
        await clock.sleep(retryMs, signal);
      }
      await this.#wake.waitUntil(this.#nextLookMs(), clock.monotonic(), clock, signal);
    }
  }

  async #look(due: readonly Guest[]): Promise<void> {
    const { keys, clock } = this.#needs;
    const published = await keys.find([...new Set(due.map(({ key }) => key))]);
    const nowMs = clock.monotonic();
    for (const guest of due) {
      const { visitor, key } = guest;
      if (this.#peers.has(visitor)) this.#confirm(guest, published.has(key), nowMs);
      else if (published.has(key)) this.#admit(key);
      else if (this.#guests.has(visitor)) {
        if (nowMs >= guest.untilMs) visitor.close("stranger");
        guest.lookAtMs = Math.min(nowMs + guest.waitMs, guest.untilMs);
        guest.waitMs = Math.min(2 * guest.waitMs, maxWaitMs);
      }
    }
  }

  #await(guest: Guest): void {
    this.#guests.set(guest.visitor, guest);
    const ofKey = this.#byKey.get(guest.key) ?? new Set();
    ofKey.add(guest);
    this.#byKey.set(guest.key, ofKey);
  }

  #admit(key: string): void {
    const guests = this.#byKey.get(key);
    // The loop removes each from the set.
    for (const guest of guests ?? []) {
      const { visitor } = guest;
      this.remove(visitor);
      this.#confirm(guest, true, this.#needs.clock.monotonic());
      visitor.admit();
    }
  }

  /** Records whether the key of a peer is still published. */
  #confirm(guest: Guest, isPublished: boolean, nowMs: number): void {
    const { visitor } = guest;
    this.#peers.delete(visitor);
    if (isPublished) {
      guest.lookAtMs = nowMs + peerWaitMs;
      this.#peers.set(visitor, guest);
      return;
    }
    Object.assign(guest, { untilMs: nowMs + strangerTimeoutMs, lookAtMs: nowMs + firstWaitMs });
    guest.waitMs = firstWaitMs;
    visitor.demote();
    this.#await(guest);
    this.add(visitor);
  }

  /** Returns the visitors whose keys are due for a lookup: peers, and the strangers that have waited longest. */
  #due(nowMs: number): readonly Guest[] {
    const due: Guest[] = [];
    for (const guest of this.#peers.values()) {
      if (guest.lookAtMs > nowMs || due.length === maxKeysAtOnce / 2) break;
      due.push(guest);
    }
    const strangers = [...this.#guests.values()]
      .filter(({ lookAtMs }) => lookAtMs <= nowMs)
      .toSorted((one, other) => one.lookAtMs - other.lookAtMs);
    return [...due, ...strangers.slice(0, maxKeysAtOnce - due.length)];
  }

  #nextLookMs(): number {
    const [peer] = this.#peers.values();
    let nextMs = peer?.lookAtMs ?? Infinity;
    for (const { lookAtMs } of this.#guests.values()) nextMs = Math.min(nextMs, lookAtMs);
    return nextMs;
  }

  #largest(): Set<Visitor> {
    let largest = new Set<Visitor>();
    for (const one of this.#byAddress.values()) if (one.size > largest.size) largest = one;
    return largest;
  }
}

function closeOldest(visitors: Set<Visitor>): void {
  const [oldest] = visitors;
  oldest?.close("too-many-strangers");
}
