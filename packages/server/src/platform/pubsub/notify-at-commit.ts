import { type RawBuilder, sql } from "kysely";

import { channel } from "./postgres-pubsub.ts";

/**
 * Hints every replica, this one too, once the transaction is committed, and never if it is not: for what must not wait for a
 * look when a server ends right after its commit. To be selected by a statement of the transaction.
 */
export function notifyAtCommit(topics: readonly string[]): RawBuilder<unknown> {
  // The first line is the sender, who does not hear himself: here nobody.
  return sql`pg_notify(${channel}, ${`\n${topics.join("\n")}`})`;
}
