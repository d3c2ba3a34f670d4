import type { Clock } from "@slipway/runtime";

import { Unavailable } from "../../../platform/errors/errors.ts";

/** The interval after which the server's load decides again how many agents may come. */
const tickMs = 20;
/** The agents of a tick that come whatever the load, so that nothing keeps them out: 200 in a second. */
const leastPerTick = 4;
/** The further agents of a tick on an idle server. */
const furtherPerTick = 16;
/** The ticks whose agents may come at once, after one that was late or after a time without agents. */
const maxTicks = 3;
/** The share of the event loop's time in use at which no further ones come. */
const busyShare = 0.9;
/** The longest wait, in milliseconds; agents stop waiting for an answer after 30 s. */
const maxWaitMs = 25_000;
/**
 * The maximum number of waiting sessions: all agents of a large server. One that is refused costs as much as it gains the
 * next time, so a wait is better than a refusal.
 */
const maxWaiting = 16_384;
const retryAfterSeconds = 5;

/** A session that waits for its turn. */
interface Waiting {
  readonly sinceMs: number;
  readonly enter: () => void;
  readonly refuse: (reason: Error) => void;
}

interface ArrivalsNeeds {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** Returns the share of the time since the last call in which the event loop was busy, from 0 to 1. */
  readonly busySince: () => number;
}

const { signal: never } = new AbortController();

/**
 * Lets agents that connect come at a pace that leaves the server time for everything else: when a server of several
 * dies, its agents come to the others at the same moment. They come in the order of their arrival. Each session has
 * one place in the queue, so that no agent gains by connecting often, and only authenticated agents have one.
 */
export class Arrivals {
  readonly #needs: ArrivalsNeeds;
  /** The waiting sessions by name, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting>();
  #left = 0;
  #lastTickMs = Number.NEGATIVE_INFINITY;
  #isTicking = false;

  constructor(needs: ArrivalsNeeds) {
    this.#needs = needs;
  }

  /**
   * Resolves when the session of this name may be opened; a newer one of the name takes its place. Throws
   * `Unavailable` if too many are waiting or its turn does not come, and the signal's reason if it is aborted first.
   */
  async enter(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#takeTurn()) await this.#wait(name, signal);
  }

  /** Takes a turn of this tick, unless others wait for theirs. */
  #takeTurn(): boolean {
    if (this.#waiting.size > 0) return false;
    if (this.#needs.clock.monotonic() - this.#lastTickMs >= tickMs) this.#tick();
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  async #wait(name: string, signal: AbortSignal): Promise<void> {
    const before = this.#waiting.get(name);
    if (before === undefined && this.#waiting.size >= maxWaiting) throw tooMany();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sinceMs = before?.sinceMs ?? this.#needs.clock.monotonic();
    const waiting: Waiting = { sinceMs, enter: resolve, refuse: reject };
    // A name keeps its place in the order.
    this.#waiting.set(name, waiting);
    before?.refuse(tooMany());
    const leave = (): void => {
      if (this.#waiting.get(name) === waiting) this.#waiting.delete(name);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    if (!this.#isTicking) void this.#tickUntilEmpty();
    await promise.finally(() => signal.removeEventListener("abort", leave));
  }

  async #tickUntilEmpty(): Promise<void> {
    this.#isTicking = true;
    while (this.#waiting.size > 0) {
      await this.#needs.clock.sleep(tickMs, never);
      this.#tick();
      this.#admit();
      this.#refuseOverdue();
    }
    this.#isTicking = false;
  }

  #tick(): void {
    const now = this.#needs.clock.monotonic();
    const ticks = Math.min(maxTicks, (now - this.#lastTickMs) / tickMs);
    this.#lastTickMs = now;
    const free = Math.max(0, 1 - this.#needs.busySince() / busyShare);
    this.#left = Math.ceil(ticks * (leastPerTick + furtherPerTick * free));
  }

  #admit(): void {
    for (const [name, { enter }] of this.#waiting) {
      if (this.#left === 0) return;
      this.#left -= 1;
      this.#waiting.delete(name);
      enter();
    }
  }

  #refuseOverdue(): void {
    const oldest = this.#needs.clock.monotonic() - maxWaitMs;
    for (const [name, { sinceMs, refuse }] of this.#waiting) {
      if (sinceMs > oldest) return;
      this.#waiting.delete(name);
      refuse(tooMany());
    }
  }
}

/** Returns a function for `busySince`. */
export function eventLoopLoad(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}

function tooMany(): Unavailable {
  return new Unavailable("Too many agents connect to this server at once.", {
    detail: "The agent connects again by itself.",
    retryAfterSeconds,
  });
}
