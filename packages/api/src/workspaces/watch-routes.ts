import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { oneOf, Uuid } from "../contract/scalars.ts";
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

/** The maximum number of ids in one message of `watchWorkspaces`. */
export const maxChangedIds = 100;

/**
 * A message says that workspaces which the caller may see have changed, were created or deleted. The first one says
 * `many`: whatever was read before the socket was open may be outdated.
 */
export const watchWorkspaces = defineRoute({
  method: "GET",
  path: "/workspaces/watch-ws",
  summary: "Watch for changes to workspaces over a WebSocket",
  scopes: ["workspace:read"],
  kind: "socket",
  response: Type.Object({
    /** The ids of the changed workspaces; empty if there are `many`. */
    workspaces: Type.Array(Uuid, { maxItems: maxChangedIds }),
    /** True if any workspaces may have changed. */
    many: Type.Boolean(),
  }),
});
