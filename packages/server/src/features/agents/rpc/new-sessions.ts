import { type Clock, settlesWithin, Turnstile } from "@slipway/runtime";

/** The sessions that begin at the same time on a busy server. */
const maxAtOnce = 32;
/** The time that clients wait for their turns from which a server is busy. */
const busyMs = 100;
/** The time after which a session has begun in any case. */
const maxBeginMs = 2_000;
const lookAgainMs = 100;

interface NewSessionsNeeds {
  readonly clock: Clock;
  readonly turns: {
    /** The time that clients wait for their turns. */
    readonly delayMs: number;
  };
}

/** The place of a session that begins; others may wait for it. */
export interface Beginning {
  /** Call it once the session has begun. */
  end(): void;
}

/**
 * Lets sessions begin: immediately while the server is quick, and otherwise a few at a time. When thousands of agents
 * return, those that wait cost nothing, and open sessions are served meanwhile: served late, they would close, and return
 * as well.
 */
export class NewSessions {
  readonly #clock: Clock;
  readonly #turnstile: Turnstile;
  #waiting = 0;
  #isLooking = false;

  constructor({ clock, turns }: NewSessionsNeeds) {
    this.#clock = clock;
    this.#turnstile = new Turnstile((inside) => inside < maxAtOnce || turns.delayMs < busyMs);
  }

  /** Resolves when a session may begin. */
  async begin(): Promise<Beginning> {
    const entered = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    void this.#turnstile.run(undefined, async () => {
      entered.resolve();
      await settlesWithin(begun.promise, maxBeginMs, this.#clock);
    });
    this.#waiting += 1;
    if (!this.#isLooking) this.#lookAgain();
    await entered.promise;
    this.#waiting -= 1;
    return { end: begun.resolve };
  }

  /** Looks from time to time whether the server is still busy, for as long as sessions wait. */
  #lookAgain(): void {
    this.#isLooking = true;
    setTimeout(() => {
      this.#isLooking = false;
      this.#turnstile.advance();
      if (this.#waiting > 0) this.#lookAgain();
    }, lookAgainMs).unref();
  }
}
