import { Type } from "typebox";

import { ConnectionLog } from "../agents/connection-log-routes.ts";
import { defineRoute } from "../contract/route.ts";
import { type Infer, nullable, Timestamp } from "../contract/scalars.ts";

/** The latest statistics of an agent in use; bytes are those since its report before. */
export const AgentUse = Type.Object({
  agent_name: Type.String(),
  reported_at: Timestamp,
  /** The sessions that were open. */
  sessions: Type.Object({
    ssh: Type.Integer(),
    vscode: Type.Integer(),
    jetbrains: Type.Integer(),
    reconnecting_pty: Type.Integer(),
  }),
  /** The median time to the clients in milliseconds; null if the agent has not measured it. */
  median_latency_ms: nullable(Type.Number()),
  rx_bytes: Type.Number(),
  tx_bytes: Type.Number(),
});
export type AgentUse = Infer<typeof AgentUse>;

export const WorkspaceConnections = Type.Object({
  /** The newest, at most 100. Addresses are left out but those of the caller, unless they may read the audit trail. */
  connections: Type.Array(ConnectionLog),
  agents: Type.Array(AgentUse),
});

export const listWorkspaceConnections = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/connections",
  summary: "List the connections to a workspace, newest first, and how much it is used",
  scopes: ["workspace:read"],
  params: Type.Object({ workspace: Type.String() }),
  response: WorkspaceConnections,
});
