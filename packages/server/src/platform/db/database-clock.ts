import { type Clock, errorText, type Logger, Scope } from "@slipway/runtime";
import { sql } from "kysely";

import type { Queryable } from "./database.ts";

interface DatabaseClockNeeds {
  /** Reads the time of the database's clock, in milliseconds since the Unix epoch. */
  readonly readTimeMs: () => Promise<number>;
  /** The clock of this machine. */
  readonly machine: Clock;
  readonly logger: Logger;
}

/** The time between two readings: a machine that was suspended is behind for no longer than this after it resumes. */
const readEveryMs = 10_000;
/** The difference of clocks, or change in it, that is logged. */
const notableMs = 5_000;

/**
 * A clock whose wall-clock time is the database's. Most times in the tables are the database's own, and replicas act on
 * them together, so a machine whose clock is wrong must neither see agents as lost nor stop or delete things early.
 * Between readings it advances with the machine's monotonic time, which steps of the machine's clock leave alone.
 *
 *   exact --10 s: read; outside of what the reading allows--> set to the nearest time that it allows
 */
export class DatabaseClock implements Clock, AsyncDisposable {
  readonly #needs: DatabaseClockNeeds;
  readonly #scope = new Scope();
  /** The database's time when the monotonic one was zero. */
  #originMs: number;
  /** The lead of the machine's clock that was logged last; zero for none. */
  #loggedAheadMs = 0;

  private constructor(needs: DatabaseClockNeeds, originMs: number) {
    this.#needs = needs;
    this.#originMs = originMs;
    this.#compare();
    this.#scope.run((signal) => this.#follow(signal));
  }

  /** Reads the database's time, and follows it until it is disposed of. Rejects if it cannot be read. */
  static async open(needs: DatabaseClockNeeds): Promise<DatabaseClock> {
    return new DatabaseClock(needs, (await readOrigin(needs)).latestMs);
  }

  now(): number {
    return Math.floor(this.#originMs + this.#needs.machine.monotonic());
  }

  monotonic(): number {
    return this.#needs.machine.monotonic();
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return this.#needs.machine.sleep(ms, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.sleep(readEveryMs, signal);
      try {
        const { earliestMs, latestMs } = await readOrigin(this.#needs);
        this.#originMs = Math.min(Math.max(this.#originMs, earliestMs), latestMs);
        this.#compare();
      } catch (error) {
        signal.throwIfAborted();
        this.#needs.logger.debug({ error: errorText(error) }, "cannot read the database's time");
      }
    }
  }

  /** Logs how far the machine's clock is from the database's, once for each notable difference. */
  #compare(): void {
    const { machine, logger } = this.#needs;
    const aheadMs = machine.now() - this.now();
    if (Math.abs(aheadMs - this.#loggedAheadMs) < notableMs) return;
    const isNotable = Math.abs(aheadMs) >= notableMs;
    this.#loggedAheadMs = isNotable ? aheadMs : 0;
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    if (isNotable)
      logger.warn(
        { [aheadMs > 0 ? "aheadSeconds" : "behindSeconds"]: seconds },
        "the clock of this machine differs from that of the database; using the database's",
      );
    else logger.info({}, "the clock of this machine agrees with that of the database again");
  }
}

/** Reads the bounds of the database's time when the monotonic one was zero: a reading takes a while. */
async function readOrigin({ readTimeMs, machine }: DatabaseClockNeeds) {
  const askedAtMs = machine.monotonic();
  const timeMs = await readTimeMs();
  return { earliestMs: timeMs - machine.monotonic(), latestMs: timeMs - askedAtMs };
}

/** Returns the time of the database's clock at this statement, in milliseconds since the Unix epoch. */
export async function selectTimeMs(db: Queryable): Promise<number> {
  const { rows } = await sql<{
    readonly ms: string;
  }>`select extract(epoch from clock_timestamp()) * 1000 as ms`.execute(db);
  return Number(rows[0]?.ms);
}
