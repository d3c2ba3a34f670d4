import { randomUUID } from "node:crypto";

import type { Queryable } from "../../platform/db/database.ts";
import { readOrInsertFact } from "./queries.ts";

/** What this deployment is known by, whichever replica is asked. */
export async function readDeploymentId(db: Queryable): Promise<string> {
  return readOrInsertFact(db, "deployment-id", randomUUID());
}
