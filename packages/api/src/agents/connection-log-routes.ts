import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

export const connectionTypes = ["ssh", "vscode", "jetbrains", "reconnecting_pty"] as const;
export const ConnectionType = oneOf(...connectionTypes);
export type ConnectionType = Infer<typeof ConnectionType>;

export const connectionStatuses = ["ongoing", "completed"] as const;
export const ConnectionStatus = oneOf(...connectionStatuses);
export type ConnectionStatus = Infer<typeof ConnectionStatus>;

/**
 * A connection to an agent: its beginning and its end as recorded by the agent or, for a terminal that the server
 * opened, by the server.
 */
export const ConnectionLog = Type.Object({
  id: Uuid,
  connect_time: Timestamp,
  organization: Type.Object({
    id: Uuid,
    name: Type.String(),
    display_name: Type.String(),
    icon: Type.String(),
  }),
  workspace_owner_id: Uuid,
  workspace_owner_username: Type.String(),
  workspace_id: Uuid,
  workspace_name: Type.String(),
  agent_name: Type.String(),
  /** The user who connected; absent if the server does not know. */
  user: Type.Optional(Type.Object({ id: Uuid, username: Type.String() })),
  /** The address from which the server saw the user connect; absent if it does not know. */
  ip: Type.Optional(Type.String()),
  type: ConnectionType,
  ssh_info: Type.Object({
    connection_id: Uuid,
    /** This and the following are absent while the connection lasts. */
    disconnect_time: Type.Optional(Timestamp),
    disconnect_reason: Type.Optional(Type.String()),
    exit_code: Type.Optional(Type.Integer()),
  }),
});
export type ConnectionLog = Infer<typeof ConnectionLog>;

/** `count` stops counting at `count_cap`. */
export const ConnectionLogsResponse = Type.Object({
  connection_logs: Type.Array(ConnectionLog),
  count: Type.Integer(),
  count_cap: Type.Integer(),
});
export type ConnectionLogsResponse = Infer<typeof ConnectionLogsResponse>;

export const listConnectionLogs = defineRoute({
  method: "GET",
  path: "/connectionlog",
  summary: "List connections to agents, newest first",
  tag: "deployment",
  query: Type.Object({
    q: Type.Optional(Type.String({ maxLength: 1024 })),
    limit: Type.Optional(Type.String()),
    offset: Type.Optional(Type.String()),
  }),
  response: ConnectionLogsResponse,
});
