import { type Clock, Rotation, settlesWithin } from "@slipway/runtime";

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
 * as well. Owners take turns, so that one whose sessions never begin delays no other by more than one session.
 */
export class NewSessions {
  readonly #clock: Clock;
  readonly #turns: NewSessionsNeeds["turns"];
  #inside = 0;
  readonly #waiting = new Rotation<() => void>();
  #isLooking = false;

  constructor({ clock, turns }: NewSessionsNeeds) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Resolves when a session of an owner may begin. Rejects with the signal's reason if it is aborted before. */
  async begin(ownerId: string, signal: AbortSignal): Promise<Beginning> {
    signal.throwIfAborted();
    if (this.#waiting.isEmpty && this.#mayEnter) this.#inside += 1;
    else await this.#wait(ownerId, signal);
    const begun = Promise.withResolvers<void>();
    void settlesWithin(begun.promise, maxBeginMs, this.#clock).then(() => {
      this.#inside -= 1;
      this.#advance();
    });
    return { end: begun.resolve };
  }

  get #mayEnter(): boolean {
    return this.#inside < maxAtOnce || this.#turns.delayMs < busyMs;
  }

  #wait(ownerId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener("abort", leave);
        this.#inside += 1;
        resolve();
      };
      const leave = (): void => {
        this.#waiting.remove(ownerId, enter);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(ownerId, enter);
      if (!this.#isLooking) this.#lookAgain();
    });
  }

  /** Lets sessions enter that may, one of each owner in rotation. */
  #advance(): void {
    this.#waiting.take(
      () => (this.#mayEnter ? "take" : "stop"),
      (enter) => enter(),
    );
  }

  /** Looks from time to time whether the server is still busy, for as long as sessions wait. */
  #lookAgain(): void {
    this.#isLooking = true;
    setTimeout(() => {
      this.#isLooking = false;
      this.#advance();
      if (!this.#waiting.isEmpty) this.#lookAgain();
    }, lookAgainMs).unref();
  }
}
