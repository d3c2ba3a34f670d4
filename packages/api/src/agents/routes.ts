import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { WorkspaceAgent } from "./agent.ts";

export const getAgent = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent",
  summary: "Get an agent",
  scopes: ["workspace:read"],
  params: Type.Object({ agent: Type.String() }),
  response: WorkspaceAgent,
});

export const agentRpc = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/rpc",
  summary: "Open the agent's RPC session: DRPC over yamux over a binary WebSocket",
  caller: "agent",
  kind: "socket",
  query: Type.Object({
    version: Type.Optional(Type.String()),
    role: Type.Optional(Type.String()),
  }),
  response: Type.Unknown(),
});
