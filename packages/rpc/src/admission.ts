import {
  type Clock,
  Turnstile,
  type UnfinishedExcess,
  type UnfinishedShare,
} from "@slipway/runtime";

import { responderLimits as limits } from "./limits.ts";

/** State shared by all sessions of one peer. */
export interface SharedCalls {
  /** The turnstile of all calls. */
  readonly turnstile: Turnstile;
  /** Reserves the given number of bytes of the peer's rate, and returns the milliseconds to wait before using them. */
  readonly reserve: (bytes: number) => number;
  /** Opens a count of the received part of a stream's incomplete packet; `cutOff` ends the stream. */
  readonly openUnfinished: (cutOff: (excess: UnfinishedExcess) => void) => UnfinishedShare;
}

/** Admits the calls of one session, in turn and at the peer's rate, and counts the bytes they hold. */
export class Admission {
  readonly #shared: SharedCalls;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #turnstile: Turnstile;
  #streamingCalls = 0;
  #heldBytes = 0;

  /** Takes `isBlocked`, which tells whether calls must wait; when it turns false, call `advance`. */
  constructor(shared: SharedCalls, clock: Pick<Clock, "sleep">, isBlocked: () => boolean) {
    this.#shared = shared;
    this.#clock = clock;
    this.#turnstile = new Turnstile((inside) => inside < limits.maxCallsAtOnce && !isBlocked());
  }

  /** Answers a request of the given size when it is its turn. */
  inTurn<T>(signal: AbortSignal, bytes: number, answer: () => Promise<T>): Promise<T> {
    return this.#turnstile.run(signal, () =>
      this.#shared.turnstile.run(signal, async () => {
        await this.pace(signal, bytes);
        return answer();
      }),
    );
  }

  /** Waits until the given number of bytes may be sent or received. */
  pace(signal: AbortSignal, bytes: number): Promise<void> | undefined {
    const waitMs = this.#shared.reserve(Math.max(bytes, limits.minMessageCost));
    return waitMs === 0 ? undefined : this.#clock.sleep(waitMs, signal);
  }

  /** Admits the callers that may enter now. */
  advance(): void {
    this.#turnstile.advance();
  }

  /** Counts a streaming call; false if there are too many. Calls whose callers have left run to completion. */
  openStreaming(): boolean {
    if (this.#streamingCalls >= limits.maxStreamingCalls) return false;
    this.#streamingCalls += 1;
    return true;
  }

  closeStreaming(): void {
    this.#streamingCalls -= 1;
  }

  /** Adds to the number of held request bytes, or subtracts if negative. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** Throws a `RangeError` if requests hold too many bytes. */
  checkHeld(): void {
    const held = this.#heldBytes;
    if (held <= limits.maxHeldBytes) return;
    throw new RangeError(`${held} bytes of requests wait, at most ${limits.maxHeldBytes} may`);
  }
}
