import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

const VersionQuery = Type.Object({
  version: Type.Optional(Type.String()),
  resume_token: Type.Optional(Type.String()),
});

export const joinTailnet = defineRoute({
  method: "GET",
  path: "/tailnet",
  summary:
    "Coordinate with all of the caller's agents on the tailnet: DRPC over yamux over a binary WebSocket",
  scopes: ["workspace:ssh"],
  tag: "deployment",
  kind: "socket",
  query: VersionQuery,
  response: Type.Unknown(),
});

export const coordinateAgent = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/coordinate",
  summary: "Coordinate with one agent on the tailnet: DRPC over yamux over a binary WebSocket",
  scopes: ["workspace:ssh"],
  kind: "socket",
  params: Type.Object({ agent: Type.String() }),
  query: VersionQuery,
  response: Type.Unknown(),
});
