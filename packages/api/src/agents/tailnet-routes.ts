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
    "Meet all one's agents on the encrypted network: DRPC over yamux over binary WebSocket messages",
  scopes: ["workspace:ssh"],
  tag: "deployment",
  kind: "socket",
  query: VersionQuery,
  response: Type.Unknown(),
});

export const coordinateAgent = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/coordinate",
  summary: "Meet an agent on the encrypted network: DRPC over yamux over binary WebSocket messages",
  scopes: ["workspace:ssh"],
  kind: "socket",
  params: Type.Object({ agent: Type.String() }),
  query: VersionQuery,
  response: Type.Unknown(),
});
