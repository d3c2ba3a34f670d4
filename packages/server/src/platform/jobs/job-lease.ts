import type { Clock } from "@slipway/runtime";

import type { Queryable } from "../db/database.ts";
import { type JobHolder, leaseSeconds, renewLease } from "./queries.ts";
import { type Moment, momentOf, RenewalTime } from "./renewal-time.ts";

export interface LeaseTimes {
  /** The length of the lease. */
  readonly lastsMs: number;
  /** The time without a renewal after which the work is given up, so that it has ended when the lease does. */
  readonly patienceMs: number;
}

/** A lease that is longer than others while it is held. Its opener disposes of it. */
export interface JobHold extends AsyncDisposable {
  /**
   * The wall-clock time of the last renewal, in milliseconds: the lease begins no earlier than then, even if the clock was
   * set meanwhile.
   */
  readonly renewedAtMs: () => number;
}

/** The usual lease: the rest of it is left for the work to end. */
export const usualLease: LeaseTimes = {
  lastsMs: leaseSeconds * 1000,
  patienceMs: (leaseSeconds - 5) * 1000,
};

/**
 * The lease of one attempt at a job, as its worker knows it. Goes by the monotonic clock, so that a wall clock that is set
 * neither ends the lease early nor makes it last too long.
 */
export class JobLease {
  readonly #db: Queryable;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #holder: JobHolder;
  #times = usualLease;
  readonly #renewal: RenewalTime;

  /** `acquired`: the moment before the statement that acquired the job. */
  constructor(
    { db, clock }: { readonly db: Queryable; readonly clock: Pick<Clock, "now" | "monotonic"> },
    holder: JobHolder,
    acquired: Moment = momentOf(clock),
  ) {
    this.#db = db;
    this.#clock = clock;
    this.#holder = holder;
    this.#renewal = new RenewalTime(clock, acquired);
  }

  get holder(): JobHolder {
    return this.#holder;
  }

  /** The lease's length in seconds, for its next renewal. */
  get seconds(): number {
    return this.#times.lastsMs / 1000;
  }

  /** True if it was not renewed for so long that the work must end. */
  get isLapsing(): boolean {
    return this.#renewal.ageMs >= this.#times.patienceMs;
  }

  /**
   * True if it may be over by the wall clock alone: the clock was set, or the machine was suspended, during which the
   * monotonic clock stands still. The next renewal shows which.
   */
  get isDoubtful(): boolean {
    return this.#renewal.wallAgeMs >= this.#times.patienceMs;
  }

  /** Notes a renewal, with the moment before its statement. */
  noteRenewal(moment: Moment): void {
    this.#renewal.note(moment);
  }

  /** Makes the lease longer until the result is disposed of. Throws if the job belongs to another attempt by now. */
  async hold(times: LeaseTimes): Promise<JobHold> {
    const before = this.#times;
    await this.#change(times);
    return {
      renewedAtMs: () => this.#renewal.wallMs,
      // Without the database, the job is over when the longer lease is.
      [Symbol.asyncDispose]: () => this.#change(before).catch(() => undefined),
    };
  }

  async #change(times: LeaseTimes): Promise<void> {
    this.#times = times;
    const moment = momentOf(this.#clock);
    if (!(await renewLease(this.#db, { ...this.#holder, seconds: this.seconds })))
      throw new JobLost();
    this.noteRenewal(moment);
  }
}

/** The abort reason of a job that another worker may take, or has taken. */
export class JobLost extends Error {
  override readonly name = "JobLost";
  readonly code = "job-lost";

  constructor() {
    super("the job's lease ended: another worker takes it over");
  }
}
