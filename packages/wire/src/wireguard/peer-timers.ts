import {
  keepAliveMs,
  maxAttempts,
  maxJitterMs,
  rekeyTimeoutMs,
  stalledMs,
  wipeAfterMs,
} from "./limits.ts";

const never = Number.POSITIVE_INFINITY;

/** The action that is due: */
export type TimerAction =
  /** The keys are too old to keep. */
  | "wipe"
  /** The initiation was not answered. */
  | "retry"
  /** No initiation was answered. */
  | "give-up"
  /** The peer has sent nothing for too long. */
  | "handshake"
  /** We have sent nothing for too long. */
  | "keep-alive";

/** The timers of a peer (docs/protocol/tailnet.md §5.5). Times are monotonic milliseconds. */
export class PeerTimers {
  readonly #random: () => number;
  #persistentMs: number | undefined;
  #attempts = 0;
  #retryAt = never;
  #keepAliveAt = never;
  /** True if more data arrived while the keep-alive for the first was pending. */
  #needsAnotherKeepAlive = false;
  #stalledAt = never;
  /**
   * The time until `stalledAt`. Its random part is drawn with the keys, as a new one for each message costs more than
   * all else.
   */
  #stalledAfterMs: number;
  #wipeAt = never;
  #persistentAt = never;

  /** `random` returns numbers of at least 0 and below 1. */
  constructor(random: () => number) {
    this.#random = random;
    this.#stalledAfterMs = stalledMs + this.#jitter();
  }

  /** The earliest time at which something is due. */
  get nextWake(): number {
    const { min } = Math;
    const keepAliveAt = min(this.#keepAliveAt, this.#persistentAt);
    return min(this.#retryAt, keepAliveAt, this.#stalledAt, this.#wipeAt);
  }

  /** Keeps the path open by a message in each period; the first one is due immediately. */
  setPersistentKeepAlive(periodMs: number | undefined, now: number): void {
    if (periodMs === this.#persistentMs) return;
    this.#persistentMs = periodMs;
    this.#persistentAt = periodMs === undefined ? never : now;
  }

  /** Records that a message was sent, with or without data. */
  sent(hasData: boolean, now: number): void {
    this.#keepAliveAt = never;
    this.#needsAnotherKeepAlive = false;
    if (this.#persistentMs !== undefined) this.#persistentAt = now + this.#persistentMs;
    if (hasData && this.#stalledAt === never) this.#stalledAt = now + this.#stalledAfterMs;
  }

  /** Records that a genuine message was received, with or without data. */
  received(hasData: boolean, now: number): void {
    this.#stalledAt = never;
    if (this.#persistentMs !== undefined) this.#persistentAt = now + this.#persistentMs;
    if (!hasData) return;
    if (this.#keepAliveAt === never) this.#keepAliveAt = now + keepAliveMs;
    else this.#needsAnotherKeepAlive = true;
  }

  /** Records that an initiation was sent. */
  initiated(now: number): void {
    this.#attempts += 1;
    this.#retryAt = now + rekeyTimeoutMs + this.#jitter();
    if (this.#persistentMs !== undefined) this.#persistentAt = now + this.#persistentMs;
  }

  /** Records a successful handshake. */
  agreed(): void {
    this.#attempts = 0;
    this.#retryAt = never;
  }

  /** Records that keys were derived. */
  derived(now: number): void {
    this.#wipeAt = now + wipeAfterMs;
    this.#stalledAfterMs = stalledMs + this.#jitter();
  }

  /** Returns an action that is due, which ends its timer; undefined if none is. */
  takeDue(now: number): TimerAction | undefined {
    if (now >= this.#wipeAt) {
      this.#wipeAt = never;
      return "wipe";
    }
    if (now >= this.#retryAt) return this.#retry();
    if (now >= this.#stalledAt) {
      this.#stalledAt = never;
      return "handshake";
    }
    if (now >= this.#keepAliveAt) {
      this.#keepAliveAt = this.#needsAnotherKeepAlive ? now + keepAliveMs : never;
      this.#needsAnotherKeepAlive = false;
      return "keep-alive";
    }
    if (now >= this.#persistentAt) {
      this.#persistentAt = this.#persistentMs === undefined ? never : now + this.#persistentMs;
      return "keep-alive";
    }
    return undefined;
  }

  #retry(): TimerAction {
    this.#retryAt = never;
    if (this.#attempts < maxAttempts) return "retry";
    this.#attempts = 0;
    this.#keepAliveAt = never;
    return "give-up";
  }

  #jitter(): number {
    return this.#random() * maxJitterMs;
  }
}
