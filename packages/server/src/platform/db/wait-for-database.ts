import { type BackoffPolicy, type Clock, errorText, type Logger, retry } from "@slipway/runtime";
import { sql } from "kysely";

import type { Queryable } from "./database.ts";
import { isOutage } from "./errors.ts";

const policy: BackoffPolicy = { firstMs: 250, maxMs: 5_000, factor: 1.618, jitter: 0.2 };
/** The time between two log lines about the wait. */
const sayEveryMs = 30_000;

interface WaitNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Waits until PostgreSQL answers, and logs that it waits: PostgreSQL may be starting at the same time, or failing over.
 * A refusal, such as of a password, is an answer: the first statement reports it. Rejects with the signal's reason.
 */
export async function waitForDatabase(
  db: Queryable,
  { clock, logger, signal }: WaitNeeds,
): Promise<void> {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  const isRetryable = (error: unknown): boolean => {
    if (!isOutage(error)) return false;
    if (clock.monotonic() - saidAtMs >= sayEveryMs) {
      saidAtMs = clock.monotonic();
      logger.warn(
        { error: errorText(error) },
        "waiting for PostgreSQL, which does not answer; is SLIPWAY_POSTGRES_URL right?",
      );
    }
    return true;
  };
  try {
    await retry(() => sql`select 1`.execute(db), { clock, signal, policy, isRetryable });
  } catch {
    signal.throwIfAborted();
  }
}
