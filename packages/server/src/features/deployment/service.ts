import { randomUUID } from "node:crypto";

import type { Queryable } from "../../platform/db/database.ts";
import { readOrInsertFact } from "./queries.ts";

/** Reads the id of this deployment, the same on each replica. */
export async function readDeploymentId(db: Queryable): Promise<string> {
  return readOrInsertFact(db, "deployment-id", randomUUID());
}
