import type { Clock } from "@slipway/runtime";

type RenewalClock = Pick<Clock, "now" | "monotonic">;

/** A moment on both clocks of a machine, in milliseconds. */
export interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** Returns the present moment. */
export function momentOf(clock: RenewalClock): Moment {
  return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
}

/** Returns the moment that was some time before another. */
export function momentBefore({ wallMs, monotonicMs }: Moment, ms: number): Moment {
  return { wallMs: wallMs - ms, monotonicMs: monotonicMs - ms };
}

/**
 * The time of a lease's last renewal. Its age is that of the monotonic clock, so that a wall clock that is set makes the lease
 * neither older nor younger.
 */
export class RenewalTime {
  readonly #clock: RenewalClock;
  #last: Moment;

  /** `first`: the moment before the first renewal (default: none is known yet). */
  constructor(clock: RenewalClock, first: Moment = { wallMs: -Infinity, monotonicMs: -Infinity }) {
    this.#clock = clock;
    this.#last = first;
  }

  /** Notes a renewal with the moment before its statement, unless a later one is known. */
  note(moment: Moment): void {
    if (moment.monotonicMs > this.#last.monotonicMs) this.#last = moment;
  }

  get ageMs(): number {
    return this.#clock.monotonic() - this.#last.monotonicMs;
  }

  /** The age by the wall clock: different if that was set, or the machine was suspended. */
  get wallAgeMs(): number {
    return this.#clock.now() - this.#last.wallMs;
  }

  /** The time on the wall clock, the earlier one by either clock: others compare it with the wall clock. */
  get wallMs(): number {
    return Math.min(this.#last.wallMs, this.#clock.now() - this.ageMs);
  }
}
