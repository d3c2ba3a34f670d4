import type { Clock } from "@slipway/runtime";

import { RateLimited } from "../errors/errors.ts";
import { addressKey } from "../fields/address.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;

/** The limit for one account from one address: five mistakes, then up to five minutes between attempts. */
const fromAddress = {
  freeFailures: 5,
  maxDelayMs: 5 * minuteMs,
  forgetOneMs: 10 * minuteMs,
  maxAtOnce: 16,
};
/** The limit for one account from all addresses. One address alone never fails often enough to reach it. */
const fromAnywhere = {
  freeFailures: 50,
  maxDelayMs: minuteMs,
  forgetOneMs: minuteMs,
  maxAtOnce: 64,
};
/** The maximum number of attempts at one account from one address that wait for a turn. */
const maxWaiting = 64;
/** The maximum number of remembered pairs of account and address that succeeded. */
const maxKnown = 50_000;

/**
 * Slows down password guessing. Failures count for the account together with the address and, with a higher limit, for
 * the account alone, so that one stranger does not lock out a person elsewhere; at an address where a person has logged
 * in before, failures from other addresses do not count. Beyond a limit, concurrent attempts wait for the results of
 * earlier ones, so that parallel guesses gain nothing and correct passwords are not refused. Unknown accounts behave
 * the same. Each replica keeps its own counts, and a restart clears them.
 */
export class PasswordAttempts {
  readonly #pairs: FailureCounts;
  readonly #accounts: FailureCounts;
  /** The number of attempts that wait for a turn, by pair. */
  readonly #waiting = new Map<string, number>();
  /** Pairs that succeeded, the latest at the end. */
  readonly #known = new Set<string>();

  constructor(clock: Pick<Clock, "now">) {
    this.#pairs = new FailureCounts(clock, fromAddress);
    this.#accounts = new FailureCounts(clock, fromAnywhere);
  }

  /**
   * Runs `isRight`, which checks a password for the account, and counts its result; throws `RateLimited` instead if it
   * has to wait.
   */
  async check(account: string, address: string, isRight: () => Promise<boolean>): Promise<boolean> {
    const pair = `${account} ${addressKey(address)}`;
    using _ = await this.#takeTurn(account, pair);
    if (await isRight()) {
      this.#pairs.forget(pair);
      this.#remember(pair);
      return true;
    }
    this.#pairs.add(pair);
    this.#accounts.add(account);
    return false;
  }

  /** Waits while running attempts may still decide; resolves to the running attempt. */
  async #takeTurn(account: string, pair: string): Promise<Disposable> {
    for (;;) {
      const turns = [this.#pairs.turn(pair)];
      if (!this.#known.has(pair)) turns.push(this.#accounts.turn(account));
      const busy = turns.find((turn) => turn.kind === "busy");
      const waitMs = Math.max(...turns.map((turn) => (turn.kind === "delayed" ? turn.waitMs : 0)));
      if (waitMs > 0) throw tooManyFailures(waitMs);
      if (busy === undefined) return this.#run(account, pair);
      await this.#wait(pair, busy.nextEnd);
    }
  }

  #run(account: string, pair: string): Disposable {
    const running = new DisposableStack();
    running.use(this.#pairs.run(pair));
    running.use(this.#accounts.run(account));
    return running;
  }

  async #wait(pair: string, nextEnd: Promise<void>): Promise<void> {
    const others = this.#waiting.get(pair) ?? 0;
    if (others >= maxWaiting) throw tooManyAtOnce();
    this.#waiting.set(pair, others + 1);
    await nextEnd;
    const left = (this.#waiting.get(pair) ?? 0) - 1;
    if (left > 0) this.#waiting.set(pair, left);
    else this.#waiting.delete(pair);
  }

  #remember(pair: string): void {
    this.#known.delete(pair);
    this.#known.add(pair);
    if (this.#known.size <= maxKnown) return;
    const [oldest] = this.#known;
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

function tooManyFailures(waitMs: number): RateLimited {
  const seconds = Math.ceil(waitMs / secondMs);
  return new RateLimited("Too many failed attempts to log in.", {
    detail: `Wait ${seconds} ${seconds === 1 ? "second" : "seconds"} before you try this account again.`,
    retryAfterSeconds: seconds,
  });
}

function tooManyAtOnce(): RateLimited {
  return new RateLimited("Too many concurrent attempts to log in.", {
    detail: "Try this account again in a second.",
    retryAfterSeconds: 1,
  });
}

/** The slowdown of further attempts after failures of one key. Times are in milliseconds. */
interface Slowdown {
  /** The number of failures without a delay; each one after that doubles it, starting at a second. */
  readonly freeFailures: number;
  readonly maxDelayMs: number;
  /** The time after which one failure is forgotten. */
  readonly forgetOneMs: number;
  /** The number of concurrent attempts if no failure is remembered. */
  readonly maxAtOnce: number;
}

interface FailureCount {
  /** The failures at `lastAt`, less those forgotten until then. */
  readonly failures: number;
  readonly lastAt: number;
}

interface RunningAttempts {
  readonly attempts: number;
  /** Resolves when the next attempt ends. */
  readonly nextEnd: PromiseWithResolvers<void>;
}

/** The decision about an attempt. */
type Turn =
  | { readonly kind: "free" }
  /** The results of running attempts decide; ask again when `nextEnd` resolves. */
  | { readonly kind: "busy"; readonly nextEnd: Promise<void> }
  | { readonly kind: "delayed"; readonly waitMs: number };

/** The maximum number of counted keys; beyond it the oldest counts are forgotten. */
const maxKeys = 50_000;
const firstDelayMs = 1_000;

/** Counts failures by key. */
class FailureCounts {
  readonly #clock: Pick<Clock, "now">;
  readonly #slowdown: Slowdown;
  readonly #counted = new Map<string, FailureCount>();
  readonly #running = new Map<string, RunningAttempts>();

  constructor(clock: Pick<Clock, "now">, slowdown: Slowdown) {
    this.#clock = clock;
    this.#slowdown = slowdown;
  }

  /**
   * Decides about the next attempt. If failures are remembered, a running attempt counts as one more, so that a delay
   * is shared by at most as many attempts as there are free failures left, and by at least one.
   */
  turn(key: string): Turn {
    const { freeFailures, maxDelayMs, maxAtOnce } = this.#slowdown;
    const running = this.#running.get(key);
    const counted = this.#counted.get(key);
    const failures = counted === undefined ? 0 : Math.ceil(this.#left(counted));
    if (running !== undefined) {
      const counts = failures > 0 && failures + running.attempts >= freeFailures;
      if (counts || running.attempts >= maxAtOnce) {
        return { kind: "busy", nextEnd: running.nextEnd.promise };
      }
    }
    const beyond = failures - freeFailures;
    if (counted === undefined || beyond < 0) return { kind: "free" };
    const delay = Math.min(firstDelayMs * 2 ** beyond, maxDelayMs);
    const waitMs = counted.lastAt + delay - this.#clock.now();
    return waitMs > 0 ? { kind: "delayed", waitMs } : { kind: "free" };
  }

  /** Counts a running attempt until the result is disposed of. */
  run(key: string): Disposable {
    const others = this.#running.get(key);
    const nextEnd = others?.nextEnd ?? Promise.withResolvers<void>();
    this.#running.set(key, { attempts: (others?.attempts ?? 0) + 1, nextEnd });
    return { [Symbol.dispose]: () => this.#end(key) };
  }

  #end(key: string): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    const attempts = running.attempts - 1;
    if (attempts > 0) this.#running.set(key, { attempts, nextEnd: Promise.withResolvers<void>() });
    else this.#running.delete(key);
    running.nextEnd.resolve();
  }

  add(key: string): void {
    const counted = this.#counted.get(key);
    const failures = counted === undefined ? 1 : this.#left(counted) + 1;
    // Moved to the end, so that the first keys have been idle the longest.
    this.#counted.delete(key);
    this.#counted.set(key, { failures, lastAt: this.#clock.now() });
    if (this.#counted.size <= maxKeys) return;
    const [quietest] = this.#counted.keys();
    if (quietest !== undefined) this.#counted.delete(quietest);
  }

  forget(key: string): void {
    this.#counted.delete(key);
  }

  #left({ failures, lastAt }: FailureCount): number {
    const forgotten = (this.#clock.now() - lastAt) / this.#slowdown.forgetOneMs;
    return Math.max(0, failures - forgotten);
  }
}
