import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { sql } from "kysely";

import type { Database, Queryable } from "../db/database.ts";
import { inTransaction } from "../db/transaction.ts";
import { type SealedColumn, sealedColumns } from "./sealed-columns.ts";
import { keyIdOf, type SecretBox, SecretError } from "./secret-box.ts";

/** The progress in one table. */
export interface RotationProgress {
  readonly table: string;
  readonly rotated: number;
  /** Secrets that no configured key decrypts. */
  readonly unreadable: number;
}

export interface RotationOptions {
  /** True to discard secrets that no key decrypts (`SealedColumn.whenLost`); false to keep them. */
  readonly discardsUnreadable: boolean;
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
  options: RotationOptions,
  signal: AbortSignal,
): AsyncGenerator<RotationProgress> {
  for (const column of sealedColumns) {
    yield* rotateColumn({ ...options, db, secrets, column }, signal);
  }
}

interface Rotation extends RotationOptions {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly column: SealedColumn;
}

async function* rotateColumn(
  rotation: Rotation,
  signal: AbortSignal,
): AsyncGenerator<RotationProgress> {
  let [rotated, unreadable] = [0, 0];
  let after: string | undefined = nilUuid;
  while (after !== undefined) {
    signal.throwIfAborted();
    const batch = await rotateBatch(rotation, after);
    rotated += batch.rotated;
    unreadable += batch.unreadable;
    after = batch.lastId;
    yield { table: rotation.column.table, rotated, unreadable };
  }
}

interface Batch {
  readonly rotated: number;
  readonly unreadable: number;
  /** Undefined if there are no more. */
  readonly lastId: string | undefined;
}

function rotateBatch(
  { db, secrets, column, discardsUnreadable }: Rotation,
  after: string,
): Promise<Batch> {
  const { newestPrefix } = secrets;
  return inTransaction(db, async (trx) => {
    const outdated = await lockOutdated(trx, column, { newestPrefix, after, limit: batchSize });
    const sealed = outdated.flatMap((secret) => sealAnew(secrets, secret));
    if (sealed.length > 0) await updateSealed(trx, column, sealed);
    if (discardsUnreadable) {
      const rotated = new Set(sealed.map(({ id }) => id));
      const lost = outdated.map(({ id }) => id).filter((id) => !rotated.has(id));
      if (lost.length > 0) await discard(trx, secrets, column, lost);
    }
    return {
      rotated: sealed.length,
      unreadable: outdated.length - sealed.length,
      lastId: outdated.at(-1)?.id,
    };
  });
}

async function discard(
  db: Queryable,
  secrets: SecretBox,
  column: SealedColumn,
  ids: readonly string[],
): Promise<void> {
  if (column.whenLost === "delete-row") return deleteSealed(db, column, ids);
  await updateSealed(
    db,
    column,
    ids.map((id) => ({ id, sealed: secrets.seal("") })),
  );
}

function sealAnew(secrets: SecretBox, { id, sealed }: SealedSecret): SealedSecret[] {
  try {
    return [{ id, sealed: secrets.seal(secrets.open(sealed)) }];
  } catch (error) {
    if (error instanceof SecretError) return [];
    throw error;
  }
}

/** Returns the ids of keys that encrypted secrets in use and that the box does not have. */
export async function findMissingKeys(
  db: Queryable,
  secrets: Pick<SecretBox, "prefixes">,
): Promise<readonly string[]> {
  const { prefixes } = secrets;
  const others: Buffer[] = [];
  for (const column of sealedColumns) {
    others.push(...(await selectOtherPrefixes(db, column, prefixes)));
  }
  return [...new Set(others.map(keyIdOf))].toSorted();
}

interface SealedSecret {
  readonly id: string;
  readonly sealed: Buffer;
}

interface OutdatedQuery {
  /** The prefix of values that are up to date. */
  readonly newestPrefix: Buffer;
  /** Only rows after this id. */
  readonly after: string;
  readonly limit: number;
}

/** Returns the next rows that are not encrypted with the newest key, locked until the transaction ends. */
async function lockOutdated(
  db: Queryable,
  { table, id, column }: SealedColumn,
  { newestPrefix, after, limit }: OutdatedQuery,
): Promise<readonly SealedSecret[]> {
  const result = await sql<SealedSecret>`
    select ${sql.ref(id)} as id, ${sql.ref(column)} as sealed
    from ${sql.table(table)}
    where ${sql.ref(id)} > ${after}::uuid
      and substring(${sql.ref(column)} from 1 for ${newestPrefix.length}::int) <> ${newestPrefix}::bytea
    order by ${sql.ref(id)}
    limit ${limit}
    for update`.execute(db);
  return result.rows;
}

/** Returns the distinct prefixes of secrets in use that are not among `prefixes`. */
async function selectOtherPrefixes(
  db: Queryable,
  { table, column, keepsDeleted }: SealedColumn,
  prefixes: readonly Buffer[],
): Promise<readonly Buffer[]> {
  const length = sql.lit(prefixes[0]?.length ?? 0);
  const isInUse = keepsDeleted ? sql`not deleted` : sql`true`;
  const result = await sql<{ prefix: Buffer }>`
    select distinct substring(${sql.ref(column)} from 1 for ${length}) as prefix
    from ${sql.table(table)}
    where ${isInUse}
      and substring(${sql.ref(column)} from 1 for ${length}) <> all(${[...prefixes]}::bytea[])`.execute(
    db,
  );
  return result.rows.map(({ prefix }) => prefix);
}

async function deleteSealed(
  db: Queryable,
  { table, id }: SealedColumn,
  ids: readonly string[],
): Promise<void> {
  await sql`delete from ${sql.table(table)} where ${sql.ref(id)} = any(${[...ids]}::uuid[])`.execute(
    db,
  );
}

async function updateSealed(
  db: Queryable,
  { table, id, column }: SealedColumn,
  secrets: readonly SealedSecret[],
): Promise<void> {
  await sql`
    update ${sql.table(table)} as t set ${sql.ref(column)} = n.sealed
    from unnest(
      ${secrets.map((secret) => secret.id)}::uuid[],
      ${secrets.map((secret) => secret.sealed)}::bytea[]
    ) as n (id, sealed)
    where t.${sql.ref(id)} = n.id`.execute(db);
}
