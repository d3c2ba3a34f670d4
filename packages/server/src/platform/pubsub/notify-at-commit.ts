import { type RawBuilder, sql } from "kysely";

import { channel } from "./postgres-pubsub.ts";

/**
 * Hints every replica, including this one, once the transaction is committed, and never if it is not: for changes that
 * must not wait for the next check when a server ends right after its commit. To be selected by a statement of the
 * transaction.
 */
export function notifyAtCommit(topics: readonly string[]): RawBuilder<unknown> {
  // The first line is the sender, which ignores its own hints: here nobody.
  return sql`pg_notify(${channel}, ${`\n${topics.join("\n")}`})`;
}
