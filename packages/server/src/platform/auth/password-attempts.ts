import type { Clock } from "@slipway/runtime";
import { RateLimited } from "../errors/errors.ts";
import { FailureCounts } from "./failure-counts.ts";
import { addressKey } from "../fields/address.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;

/** For one account from one address: five mistakes, then up to five minutes between two attempts. */
const fromAddress = {
  freeFailures: 5,
  maxDelayMs: 5 * minuteMs,
  forgetOneMs: 10 * minuteMs,
  maxAtOnce: 16,
};
/** For one account from all addresses. One address alone never fails often enough to get here. */
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
 * in before, failures from other addresses do not count. Concurrent attempts beyond a number wait for the results of
 * those before them, so that guesses in parallel gain nothing, and right passwords are not refused. Unknown accounts
 * behave the same. Each replica counts for itself, and a restart forgets.
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

  /** Waits while the results of running attempts decide; resolves to the running attempt. */
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
