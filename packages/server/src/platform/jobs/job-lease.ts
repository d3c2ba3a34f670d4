import type { Clock } from "@slipway/runtime";

import type { Queryable } from "../db/database.ts";
import { type JobHolder, leaseSeconds, renewLeases } from "./queries.ts";

export interface LeaseTimes {
  /** The length of the lease. */
  readonly lastsMs: number;
  /** The time without a renewal after which the work is given up, so that it has ended when the lease does. */
  readonly patienceMs: number;
}

/** A lease that is longer than others while it is held. Its opener disposes of it. */
export interface JobHold extends AsyncDisposable {
  /** The wall-clock time of the last renewal, in milliseconds: the lease begins no earlier than then. */
  readonly renewedAtMs: () => number;
}

/** The usual lease: the rest of it is left for the work to end. */
export const usualLease: LeaseTimes = {
  lastsMs: leaseSeconds * 1000,
  patienceMs: (leaseSeconds - 5) * 1000,
};

/** The lease of one attempt at a job, as its worker knows it. */
export class JobLease {
  readonly #db: Queryable;
  readonly #clock: Pick<Clock, "now">;
  readonly #holder: JobHolder;
  #times = usualLease;
  #renewedAtMs: number;

  /** `acquiredAtMs`: the time before the statement that acquired the job. */
  constructor(
    { db, clock }: { readonly db: Queryable; readonly clock: Pick<Clock, "now"> },
    holder: JobHolder,
    acquiredAtMs: number = clock.now(),
  ) {
    this.#db = db;
    this.#clock = clock;
    this.#holder = holder;
    this.#renewedAtMs = acquiredAtMs;
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
    return this.#clock.now() - this.#renewedAtMs >= this.#times.patienceMs;
  }

  /** Notes a renewal, with the time before its statement. */
  noteRenewal(atMs: number): void {
    this.#renewedAtMs = Math.max(this.#renewedAtMs, atMs);
  }

  /** Makes the lease longer until the result is disposed of. Throws if the job belongs to another attempt by now. */
  async hold(times: LeaseTimes): Promise<JobHold> {
    const before = this.#times;
    await this.#change(times);
    return {
      renewedAtMs: () => this.#renewedAtMs,
      // Without the database, the job is over when the longer lease is.
      [Symbol.asyncDispose]: () => this.#change(before).catch(() => undefined),
    };
  }

  async #change(times: LeaseTimes): Promise<void> {
    this.#times = times;
    const atMs = this.#clock.now();
    const renewed = await renewLeases(this.#db, [{ ...this.#holder, seconds: this.seconds }]);
    if (!renewed.has(this.#holder.jobId)) throw new JobLost();
    this.noteRenewal(atMs);
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
