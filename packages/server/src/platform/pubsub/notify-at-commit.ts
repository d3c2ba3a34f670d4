import { sql } from "kysely";

import type { Selection } from "../db/insert-rows.ts";
import { channel } from "./postgres-pubsub.ts";

/**
 * Hints every replica, including this one, once the transaction is committed, and never if it is not: for changes that
 * must not wait for the next check when a server ends right after its commit. To be selected by a statement of the
 * transaction.
 */
export function notifyAtCommit(topics: readonly string[]): Selection {
  return {
    name: "notify",
    // The first line is the sender, which ignores its own hints: here nobody.
    values: [`\n${topics.join("\n")}`],
    build: ([payload = ""]) => sql`pg_notify(${channel}, ${payload})`,
  };
}
