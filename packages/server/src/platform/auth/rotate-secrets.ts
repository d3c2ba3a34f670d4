import { nilUuid } from "@slipway/api";

import type { Database } from "../db/database.ts";
import { inTransaction } from "../db/transaction.ts";
import { lockOutdated, type SealedSecret, updateSealed } from "./rotation-queries.ts";
import { type SealedColumn, sealedColumns } from "./sealed-columns.ts";
import { type SecretBox, SecretError } from "./secret-box.ts";

/** The progress in one table. */
export interface RotationProgress {
  readonly table: string;
  readonly rotated: number;
  /** Secrets that no configured key decrypts; they are left as they are. */
  readonly unreadable: number;
}

/** The number of secrets per transaction. */
const batchSize = 500;

/**
 * Re-encrypts every secret that is not encrypted with the newest key, one batch per transaction. Can be interrupted at
 * any time; a later call resumes. Yields after each batch, and at the end of each table.
 */
export async function* rotateSecrets(
  db: Database,
  secrets: SecretBox,
  signal: AbortSignal,
): AsyncGenerator<RotationProgress> {
  for (const column of sealedColumns) yield* rotateColumn(db, secrets, column, signal);
}

async function* rotateColumn(
  db: Database,
  secrets: SecretBox,
  column: SealedColumn,
  signal: AbortSignal,
): AsyncGenerator<RotationProgress> {
  let [rotated, unreadable] = [0, 0];
  let after: string | undefined = nilUuid;
  while (after !== undefined) {
    signal.throwIfAborted();
    const batch = await rotateBatch(db, secrets, column, after);
    rotated += batch.rotated;
    unreadable += batch.unreadable;
    after = batch.lastId;
    yield { table: column.table, rotated, unreadable };
  }
}

interface Batch {
  readonly rotated: number;
  readonly unreadable: number;
  /** Undefined if there are no more. */
  readonly lastId: string | undefined;
}

function rotateBatch(
  db: Database,
  secrets: SecretBox,
  column: SealedColumn,
  after: string,
): Promise<Batch> {
  const { newestPrefix } = secrets;
  return inTransaction(db, async (trx) => {
    const outdated = await lockOutdated(trx, column, { newestPrefix, after, limit: batchSize });
    const sealed = outdated.flatMap((secret) => sealAnew(secrets, secret));
    if (sealed.length > 0) await updateSealed(trx, column, sealed);
    return {
      rotated: sealed.length,
      unreadable: outdated.length - sealed.length,
      lastId: outdated.at(-1)?.id,
    };
  });
}

function sealAnew(secrets: SecretBox, { id, sealed }: SealedSecret): SealedSecret[] {
  try {
    return [{ id, sealed: secrets.seal(secrets.open(sealed)) }];
  } catch (error) {
    if (error instanceof SecretError) return [];
    throw error;
  }
}
