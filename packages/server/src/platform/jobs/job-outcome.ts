import { errorText } from "@slipway/runtime";
import type { Transaction } from "kysely";

import type { Database } from "../db/database.ts";
import { isUnstorable } from "../db/errors.ts";
import type { DB } from "../db/gen/schema.ts";
import { inTransaction } from "../db/transaction.ts";
import { storableText } from "../fields/storable-text.ts";
import { completeJob, type JobHolder } from "./queries.ts";

/** Writes to commit together with the end of the job; only SQL on the transaction. */
export interface JobOutcome {
  /** Undefined if the job succeeded. */
  readonly error: string | undefined;
  readonly commit: (trx: Transaction<DB>) => Promise<void>;
  /** Returns the outcome in place of this one if PostgreSQL does not store it (default: only the error is written). */
  readonly whenUnstorable?: (error: string) => JobOutcome;
  /** The topics to hint at after the commit. */
  readonly topics: readonly string[];
}

/**
 * Ends a job together with the writes of its outcome; resolves to false, with nothing written, if another worker has
 * the job by now.
 */
export function endJob(
  db: Database,
  holder: JobHolder,
  { error, commit }: JobOutcome,
): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const isOurs = await completeJob(trx, { ...holder, error: error && storableText(error) });
    if (isOurs) await commit(trx);
    return isOurs;
  });
}

/** The end of a job, which another worker may have by now. */
interface EndedJob {
  readonly isEnded: boolean;
  readonly outcome: JobOutcome;
}

/** Ends a job as `endJob` does. One whose result cannot be stored fails: another attempt would have the same result. */
export async function endStorably(
  db: Database,
  holder: JobHolder,
  outcome: JobOutcome,
): Promise<EndedJob> {
  try {
    return { isEnded: await endJob(db, holder, outcome), outcome };
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    const text = `the result cannot be stored: ${errorText(error)}`;
    const failed = outcome.whenUnstorable?.(text) ?? failedOutcome(text);
    return { isEnded: await endJob(db, holder, failed), outcome: failed };
  }
}

/** Returns the outcome of a job that has nothing to write. */
export function failedOutcome(error: string): JobOutcome {
  return { error, commit: async () => {}, topics: [] };
}
