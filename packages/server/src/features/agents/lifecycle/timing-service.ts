import type { BuildTimings } from "@slipway/api/builds/timings";

import type { Queryable } from "../../../platform/db/database.ts";

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

/** Selects the script runs of a build's agents, in the order of their start. */
function selectScriptTimings(db: Queryable, buildId: string) {
  return db
    .selectFrom("workspace_agent_script_timings as timing")
    .innerJoin("workspace_agent_scripts as script", "script.id", "timing.script_id")
    .innerJoin("workspace_agents as agent", "agent.id", "script.workspace_agent_id")
    .where("agent.workspace_build_id", "=", buildId)
    .orderBy("timing.started_at")
    .limit(1000)
    .select([
      "timing.started_at",
      "timing.ended_at",
      "timing.exit_code",
      "timing.stage",
      "timing.status",
      "script.display_name",
      "agent.id as workspace_agent_id",
      "agent.name as workspace_agent_name",
    ])
    .execute();
}

/** Selects the times that a build's agents took to connect for the first time. */
function selectConnectionTimings(db: Queryable, buildId: string) {
  return db
    .selectFrom("workspace_agents as agent")
    .where("agent.workspace_build_id", "=", buildId)
    .where("agent.first_connected_at", "is not", null)
    .orderBy("agent.created_at")
    .select((eb) => [
      eb.val("connect" as const).as("stage"),
      "agent.created_at as started_at",
      eb.ref("agent.first_connected_at").$notNull().as("ended_at"),
      "agent.id as workspace_agent_id",
      "agent.name as workspace_agent_name",
    ])
    .execute();
}
