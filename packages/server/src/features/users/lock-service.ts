import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";

/**
 * Holds off other requests that lock the same user until the transaction ends, so that counts of the user's resources
 * stay valid.
 */
export async function lockUser(trx: Transaction<DB>, userId: string): Promise<void> {
  await trx
    .selectFrom("users")
    .where("id", "=", userId)
    .select("id")
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}
