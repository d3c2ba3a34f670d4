import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

export const openTerminal = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/pty",
  summary: "Open a terminal in a workspace over a WebSocket",
  scopes: ["workspace:ssh"],
  kind: "socket",
  params: Type.Object({ agent: Type.String() }),
  query: Type.Object({
    reconnect: Type.Optional(Type.String()),
    width: Type.Optional(Type.String()),
    height: Type.Optional(Type.String()),
    command: Type.Optional(Type.String()),
    container: Type.Optional(Type.String()),
    container_user: Type.Optional(Type.String()),
    backend_type: Type.Optional(Type.String()),
    /** A UUID of a client that resumes, and the position up to which it has received output. */
    viewer: Type.Optional(Type.String()),
    received: Type.Optional(Type.String()),
  }),
  response: Type.Unknown(),
});
