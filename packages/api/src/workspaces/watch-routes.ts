import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { oneOf } from "../contract/scalars.ts";
import { Workspace } from "./workspace.ts";

const WorkspaceParams = Type.Object({ workspace: Type.String() });

/** One event of a watched workspace: a ping first, then the whole workspace immediately and after each change. */
export const watchWorkspace = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/watch",
  summary: "Watch a workspace as server-sent events",
  scopes: ["workspace:read"],
  kind: "event-stream",
  params: WorkspaceParams,
  response: Workspace,
});

export const watchWorkspaceSocket = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/watch-ws",
  summary: "Watch a workspace over a WebSocket",
  scopes: ["workspace:read"],
  kind: "socket",
  params: WorkspaceParams,
  response: Type.Object({
    type: oneOf("ping", "data", "error"),
    data: Type.Union([Workspace, Type.Null()]),
  }),
});
