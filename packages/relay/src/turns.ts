import type { Clock } from "@slipway/runtime";

/** The time for which the relay works, and sends, before it is the turn of others on the same event loop. */
export const turnMs = 2;
/** The number of receivers served between two checks of the clock. */
const receiversPerLook = 8;

/** A part of the relay's work that may wait for a later turn of the event loop. */
export interface Work {
  /** Performs a piece of it, in much less than a turn. Returns whether more is left to do. */
  work(): boolean;
}

/** A receiver with waiting frames. */
export interface Flushable {
  flush(): void;
}

/** Calls `act` after the pending events, before the next ones (default: `setImmediate`). */
export type Defer = (act: () => void) => void;

/**
 * The relay's time budget for each turn of the event loop, whichever client causes the work. The rest waits: pieces
 * of work in their order, and frames to send, so that each receiver gets all of a turn in one write.
 *
 *   events of a turn: work, up to `turnMs` | then: receivers are sent what waits, and work goes on, up to `turnMs`
 */
export class Turns {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #defer: Defer;
  /** In the order of their next pieces. */
  readonly #waiting = new Set<Work>();
  readonly #receivers = new Set<Flushable>();
  /** The end of the work among this turn's events; undefined before the first. */
  #endsAtMs: number | undefined;
  #isEndDue = false;
  /** True while receivers wait for longer than a turn; no work is added meanwhile. */
  #isBehind = false;

  constructor(clock: Pick<Clock, "monotonic">, defer: Defer) {
    this.#clock = clock;
    this.#defer = defer;
  }

  /** Starts work immediately if nothing waits and the turn lasts. Returns false if some of it must wait. */
  start(work: Work): boolean {
    this.#deferEnd();
    if (this.#waiting.size === 0 && !this.#isBehind) {
      this.#endsAtMs ??= this.#clock.monotonic() + turnMs;
      while (this.#clock.monotonic() < this.#endsAtMs) if (!work.work()) return true;
    }
    this.#waiting.add(work);
    return false;
  }

  /** Flushes a receiver at the end of the turn. Returns whether it is the first call for it in this turn. */
  send(receiver: Flushable): boolean {
    if (this.#receivers.has(receiver)) return false;
    this.#receivers.add(receiver);
    this.#deferEnd();
    return true;
  }

  /** Flushes all receivers, however long it takes. */
  flushAll(): void {
    this.#flush(Infinity);
  }

  #deferEnd(): void {
    if (this.#isEndDue) return;
    this.#isEndDue = true;
    this.#defer(() => this.#end());
  }

  #end(): void {
    this.#isEndDue = false;
    this.#endsAtMs = undefined;
    const untilMs = this.#clock.monotonic() + turnMs;
    this.#isBehind = !this.#flush(untilMs);
    while (!this.#isBehind && this.#waiting.size > 0 && this.#clock.monotonic() < untilMs) {
      const [work] = this.#waiting;
      if (work === undefined) break;
      this.#waiting.delete(work);
      if (work.work()) this.#waiting.add(work);
    }
    if (this.#receivers.size > 0 || this.#waiting.size > 0) this.#deferEnd();
  }

  /** Flushes receivers until a time; returns whether none is left. */
  #flush(untilMs: number): boolean {
    let count = 0;
    for (const receiver of this.#receivers) {
      if (count % receiversPerLook === 0 && count > 0 && this.#clock.monotonic() >= untilMs) {
        return false;
      }
      count += 1;
      this.#receivers.delete(receiver);
      receiver.flush();
    }
    return true;
  }
}
