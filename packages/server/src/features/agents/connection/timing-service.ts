import type { BuildTimings } from "@slipway/api";

import type { Queryable } from "../../../platform/db/database.ts";
import { selectConnectionTimings, selectScriptTimings } from "./timing-queries.ts";

type AgentTimings = Pick<BuildTimings, "agent_script_timings" | "agent_connection_timings">;

/** Reads the times that a build's agents took to connect, and their scripts to run. */
export async function readAgentTimings(db: Queryable, buildId: string): Promise<AgentTimings> {
  const [scripts, connections] = await Promise.all([
    selectScriptTimings(db, buildId),
    selectConnectionTimings(db, buildId),
  ]);
  return {
    agent_script_timings: scripts,
    agent_connection_timings: connections,
  };
}
