import { Type } from "typebox";

import { ScriptStage, ScriptStatus } from "../agents/agent.ts";
import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

/** The durations of a build's parts: those of its job, of its agents' first connection, and of their scripts. */
export const BuildTimings = Type.Object({
  provisioner_timings: Type.Array(
    Type.Object({
      job_id: Uuid,
      started_at: Timestamp,
      ended_at: Timestamp,
      stage: oneOf("init", "plan", "graph", "apply"),
      source: Type.String(),
      action: Type.String(),
      resource: Type.String(),
    }),
  ),
  agent_script_timings: Type.Array(
    Type.Object({
      started_at: Timestamp,
      ended_at: Timestamp,
      exit_code: Type.Integer(),
      stage: ScriptStage,
      status: ScriptStatus,
      display_name: Type.String(),
      workspace_agent_id: Uuid,
      workspace_agent_name: Type.String(),
    }),
  ),
  agent_connection_timings: Type.Array(
    Type.Object({
      started_at: Timestamp,
      ended_at: Timestamp,
      stage: oneOf("connect"),
      workspace_agent_id: Uuid,
      workspace_agent_name: Type.String(),
    }),
  ),
});
export type BuildTimings = Infer<typeof BuildTimings>;
