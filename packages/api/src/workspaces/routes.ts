import { Type } from "typebox";

import { ExternalAgentCredentials } from "../agents/agent.ts";
import { defineRoute } from "../contract/route.ts";
import { oneOf } from "../contract/scalars.ts";
import { UserParams } from "../users/routes.ts";
import { CreateWorkspaceRequest, Workspace, WorkspacesResponse } from "./workspace.ts";

export const listWorkspaces = defineRoute({
  method: "GET",
  path: "/workspaces",
  summary: "List workspaces",
  query: Type.Object({
    q: Type.Optional(Type.String({ maxLength: 1024 })),
    limit: Type.Optional(Type.String()),
    offset: Type.Optional(Type.String()),
  }),
  response: WorkspacesResponse,
});

export const getWorkspace = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace",
  summary: "Get a workspace",
  params: Type.Object({ workspace: Type.String() }),
  query: Type.Object({ include_deleted: Type.Optional(Type.String()) }),
  response: Workspace,
});

export const getWorkspaceByName = defineRoute({
  method: "GET",
  path: "/users/:user/workspace/:name",
  summary: "Get a workspace by owner and name",
  params: Type.Object({ user: Type.String(), name: Type.String() }),
  query: Type.Object({ include_deleted: Type.Optional(Type.String()) }),
  response: Workspace,
});

export const createWorkspace = defineRoute({
  method: "POST",
  path: "/users/:user/workspaces",
  summary: "Create a workspace and start it",
  params: UserParams,
  body: CreateWorkspaceRequest,
  status: 201,
  response: Workspace,
});

export const getExternalAgentCredentials = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/external-agent/:agent/credentials",
  summary: "Get the command that starts an external agent, and its token",
  params: Type.Object({ workspace: Type.String(), agent: Type.String() }),
  response: ExternalAgentCredentials,
});

/** One event of a watched workspace: a ping first, then the whole workspace at once and after each change. */
export const watchWorkspace = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/watch",
  summary: "Watch a workspace as server-sent events",
  kind: "event-stream",
  params: Type.Object({ workspace: Type.String() }),
  response: Workspace,
});

export const watchWorkspaceSocket = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/watch-ws",
  summary: "Watch a workspace over a WebSocket",
  kind: "socket",
  params: Type.Object({ workspace: Type.String() }),
  response: Type.Object({
    type: oneOf("ping", "data", "error"),
    data: Type.Union([Workspace, Type.Null()]),
  }),
});
