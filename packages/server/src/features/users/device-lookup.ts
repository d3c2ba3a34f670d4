import type { WaitingProgram } from "@slipway/api/users/device-routes";
import { sql } from "kysely";

import type { KeyOrigin } from "../../platform/auth/session-key.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { watch } from "../../platform/pubsub/watch.ts";

/** The time for which a lookup waits: several requests of a program that asks as often as it is told to. */
const lookupMs = 10_000;
/** The maximum time between two looks without a hint. */
const maxWaitMs = 2_000;

/**
 * Finds the program that waits for a code. The server stores nothing of a login before its approval, so the lookup waits for
 * the next request of the program; undefined if none comes in time.
 */
export async function findWaitingProgram(
  { db, pubsub, clock }: Pick<Platform, "db" | "pubsub" | "clock">,
  { id: userId }: Pick<UserCaller, "id">,
  codeHash: Buffer,
  signal: AbortSignal,
): Promise<WaitingProgram | undefined> {
  await upsertLookup(db, { userId, codeHash });
  const endMs = clock.monotonic() + lookupMs;
  const looks = watch({ pubsub, topics: [topics.deviceLookup(userId)], maxWaitMs, clock, signal });
  for await (const _ of looks) {
    const program = await selectProgram(db, { userId, codeHash });
    if (program !== undefined || clock.monotonic() >= endMs) return program;
  }
  return undefined;
}

/** Tells the users who are looking at a code which program asks for its session, and since when. */
export async function tellWaitingProgram(
  { db, pubsub }: Pick<Platform, "db" | "pubsub">,
  codeHash: Buffer,
  { ip, userAgent }: KeyOrigin,
  begunAt: Date,
): Promise<void> {
  const rows = await db
    .updateTable("device_lookups")
    .set({ ip, user_agent: userAgent, begun_at: begunAt.toISOString() })
    .where("code_hash", "=", codeHash)
    .where(sql<boolean>`begun_at is null`)
    .returning("user_id")
    .execute();
  for (const { user_id: userId } of rows) pubsub.publish(topics.deviceLookup(userId));
}

interface Lookup {
  readonly userId: string;
  readonly codeHash: Buffer;
}

/** Stores the code that a user looks at, in place of an earlier one. */
async function upsertLookup(db: Queryable, { userId, codeHash }: Lookup): Promise<void> {
  const looked = { code_hash: codeHash, ip: null, user_agent: null, begun_at: null };
  await db
    .insertInto("device_lookups")
    .values({ user_id: userId, ...looked })
    .onConflict((conflict) => conflict.column("user_id").doUpdateSet(looked))
    .execute();
}

async function selectProgram(
  db: Queryable,
  { userId, codeHash }: Lookup,
): Promise<WaitingProgram | undefined> {
  const row = await db
    .selectFrom("device_lookups")
    .where("user_id", "=", userId)
    .where("code_hash", "=", codeHash)
    .select(["ip", "user_agent", "begun_at"])
    .executeTakeFirst();
  if (row === undefined || row.begun_at === null) return undefined;
  return { ip: row.ip ?? "", user_agent: row.user_agent ?? "", begun_at: row.begun_at };
}
