import { RpcError } from "@slipway/rpc";

import type { Queryable } from "../../../platform/db/database.ts";
import { isLive } from "../live-queries.ts";

/** Creates the error for an agent that was stopped, deleted or replaced since it was authenticated. */
export function notLive(): RpcError {
  return new RpcError(
    "the agent's build is outdated: its workspace was stopped, deleted or built anew",
  );
}

/** Throws unless the agent is live: for a statement that changed nothing, which alone does not say why. */
export async function requireLive(db: Queryable, agentId: string): Promise<void> {
  if (!(await isLive(db, agentId))) throw notLive();
}
