import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

export interface Use {
  readonly owner_name: string;
  readonly workspaces: number;
  readonly running: number;
  /** True if the workspace in question is among the running ones. */
  readonly is_running: boolean;
  readonly pending_builds: number;
}

/** Holds off other requests for the same users until the transaction ends, and counts their current use. */
export async function lockAndCountUse(
  db: Queryable,
  users: { readonly ownerId: string; readonly initiatorId: string },
  workspaceId: string | null,
): Promise<Use> {
  const { rows } = await sql<Use>`
    select used.*, (select username from users where id = ${users.ownerId}) as owner_name
      from lock_and_count_use(${users.ownerId}, ${users.initiatorId}, ${workspaceId}) used`.execute(
    db,
  );
  const [use] = rows;
  if (use === undefined) throw new TypeError("a function without a row");
  return use;
}
