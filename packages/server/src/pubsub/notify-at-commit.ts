import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import { channel } from "./postgres-pubsub.ts";

/**
 * Hints every replica, this one too, once the transaction is committed, and never if it is not: for what must not wait for a
 * look when a server ends right after its commit.
 */
export async function notifyAtCommit(trx: Queryable, topics: readonly string[]): Promise<void> {
  // The first line is the sender, who does not hear himself: here nobody.
  await sql`select pg_notify(${channel}, ${`\n${topics.join("\n")}`})`.execute(trx);
}
