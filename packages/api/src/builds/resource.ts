import { Type } from "typebox";

import { WorkspaceAgent } from "../agents/agent.ts";
import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

export const Transition = oneOf("start", "stop", "delete");
export type Transition = Infer<typeof Transition>;

/** A resource of a build, with the agents that run on it. */
export const WorkspaceResource = Type.Object({
  id: Uuid,
  created_at: Timestamp,
  job_id: Uuid,
  workspace_transition: Transition,
  type: Type.String(),
  name: Type.String(),
  hide: Type.Boolean(),
  icon: Type.String(),
  agents: Type.Array(WorkspaceAgent),
  metadata: Type.Array(
    Type.Object({ key: Type.String(), value: Type.String(), sensitive: Type.Boolean() }),
  ),
  daily_cost: Type.Integer(),
});
export type WorkspaceResource = Infer<typeof WorkspaceResource>;
