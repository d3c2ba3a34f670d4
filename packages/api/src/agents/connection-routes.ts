import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer } from "../contract/scalars.ts";
import { DerpMap } from "./derp-map.ts";

export const ConnectionInfo = Type.Object({
  derp_map: DerpMap,
  derp_force_websockets: Type.Boolean(),
  disable_direct_connections: Type.Boolean(),
  hostname_suffix: Type.Optional(Type.String()),
});
export type ConnectionInfo = Infer<typeof ConnectionInfo>;

export const getConnection = defineRoute({
  method: "GET",
  path: "/workspaceagents/connection",
  summary: "Get the connection settings for all agents",
  scopes: ["workspace:ssh"],
  response: ConnectionInfo,
});

export const getAgentConnection = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/connection",
  summary: "Get the connection settings for an agent",
  scopes: ["workspace:ssh"],
  params: Type.Object({ agent: Type.String() }),
  response: ConnectionInfo,
});

export const getOwnConnection = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/connection",
  summary: "Get the connection settings for all agents, as an agent",
  caller: "agent",
  response: ConnectionInfo,
});

export const watchDerpMap = defineRoute({
  method: "GET",
  path: "/derp-map",
  summary: "Watch the DERP map over a WebSocket",
  tag: "deployment",
  caller: "anyone",
  kind: "socket",
  response: DerpMap,
});
