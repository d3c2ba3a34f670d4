import { Type } from "typebox";

import { maxParameterBodyBytes } from "../builds/build.ts";
import { MessageBody } from "../contract/api-error.ts";
import { defineRoute } from "../contract/route.ts";
import { nullable, oneOf, Timestamp } from "../contract/scalars.ts";
import { UserParams } from "../users/routes.ts";
import {
  CreateWorkspaceRequest,
  WaitingPrebuilds,
  Workspace,
  WorkspaceAllowances,
  WorkspaceGrouping,
  WorkspaceOrder,
  WorkspacesResponse,
} from "./workspace.ts";

const WorkspaceParams = Type.Object({ workspace: Type.String() });

export const listWorkspaces = defineRoute({
  method: "GET",
  path: "/workspaces",
  summary: "List workspaces",
  scopes: ["workspace:read"],
  query: Type.Object({
    q: Type.Optional(Type.String({ maxLength: 1024 })),
    limit: Type.Optional(Type.String()),
    offset: Type.Optional(Type.String()),
    /** Default: running workspaces first, then by owner and name. */
    sort: Type.Optional(WorkspaceOrder),
    group: Type.Optional(WorkspaceGrouping),
  }),
  response: WorkspacesResponse,
});

export const getWorkspace = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace",
  summary: "Get a workspace",
  scopes: ["workspace:read"],
  params: WorkspaceParams,
  query: Type.Object({ include_deleted: Type.Optional(Type.String()) }),
  response: Workspace,
});

export const getWorkspaceByName = defineRoute({
  method: "GET",
  path: "/users/:user/workspace/:name",
  summary: "Get a workspace by owner and name",
  scopes: ["workspace:read"],
  params: Type.Object({ user: Type.String(), name: Type.String() }),
  query: Type.Object({ include_deleted: Type.Optional(Type.String()) }),
  response: Workspace,
});

export const createWorkspace = defineRoute({
  method: "POST",
  path: "/users/:user/workspaces",
  summary: "Create a workspace and start it",
  scopes: ["workspace:create"],
  params: UserParams,
  body: CreateWorkspaceRequest,
  maxBodyBytes: maxParameterBodyBytes,
  status: 201,
  response: Workspace,
});

export const getWorkspaceAllowances = defineRoute({
  method: "GET",
  path: "/users/:user/workspace-allowances",
  summary: "Get how many workspaces a user has and may have",
  params: UserParams,
  response: WorkspaceAllowances,
});

export const listWaitingPrebuilds = defineRoute({
  method: "GET",
  path: "/templateversions/:version/waiting-prebuilds",
  summary: "Count the prebuilds of a template version that wait to be claimed, by preset",
  params: Type.Object({ version: Type.String() }),
  response: Type.Array(WaitingPrebuilds),
});

const RenameWorkspaceRequest = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 256 })),
});

export const renameWorkspace = defineRoute({
  method: "PATCH",
  path: "/workspaces/:workspace",
  summary: "Rename a workspace",
  scopes: ["workspace:update"],
  params: WorkspaceParams,
  body: RenameWorkspaceRequest,
  status: 204,
  response: Type.Null(),
});

export const favoriteWorkspace = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/favorite",
  summary: "Mark a workspace as a favorite",
  scopes: ["workspace:update"],
  params: WorkspaceParams,
  status: 204,
  response: Type.Null(),
});

export const unfavoriteWorkspace = defineRoute({
  method: "DELETE",
  path: "/workspaces/:workspace/favorite",
  summary: "Remove a workspace from the favorites",
  scopes: ["workspace:update"],
  params: WorkspaceParams,
  status: 204,
  response: Type.Null(),
});

const AutomaticUpdatesRequest = Type.Object({
  automatic_updates: oneOf("always", "never"),
});

export const updateAutomaticUpdates = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/autoupdates",
  summary: "Set whether a workspace updates itself when it starts",
  scopes: ["workspace:update"],
  params: WorkspaceParams,
  body: AutomaticUpdatesRequest,
  status: 204,
  response: Type.Null(),
});

/** Null or 0 clears the setting. */
const TtlRequest = Type.Object({
  ttl_ms: Type.Optional(nullable(Type.Integer())),
});

export const updateTtl = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/ttl",
  summary: "Set how long a workspace runs before it stops automatically",
  scopes: ["workspace:update"],
  params: WorkspaceParams,
  body: TtlRequest,
  status: 204,
  response: Type.Null(),
});

/** A cron expression of five fields with `CRON_TZ=` before it, such as `CRON_TZ=Europe/Berlin 30 9 * * 1-5`. */
const AutostartRequest = Type.Object({
  schedule: Type.Optional(nullable(Type.String({ maxLength: 256 }))),
});

export const updateAutostart = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/autostart",
  summary: "Set when a workspace starts automatically",
  scopes: ["workspace:update"],
  params: WorkspaceParams,
  body: AutostartRequest,
  status: 204,
  response: Type.Null(),
});

const ExtendRequest = Type.Object({ deadline: Timestamp });

export const extendWorkspace = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/extend",
  summary: "Change when a running workspace stops",
  scopes: ["workspace:update"],
  params: WorkspaceParams,
  body: ExtendRequest,
  mayBeUnchanged: true,
  response: MessageBody,
});

const DormantRequest = Type.Object({ dormant: Type.Boolean() });

export const updateDormancy = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/dormant",
  summary: "Make a workspace dormant or active",
  scopes: ["workspace:update"],
  params: WorkspaceParams,
  body: DormantRequest,
  mayBeUnchanged: true,
  response: Workspace,
});

export const reportWorkspaceUsage = defineRoute({
  method: "POST",
  path: "/workspaces/:workspace/usage",
  summary: "Report that a workspace is in use",
  scopes: ["workspace:ssh"],
  params: WorkspaceParams,
  status: 204,
  response: Type.Null(),
});

const ResolveAutostartResponse = Type.Object({ parameter_mismatch: Type.Boolean() });

export const resolveAutostart = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/resolve-autostart",
  summary: "Check whether an automatic start needs new parameter values",
  scopes: ["workspace:read"],
  params: WorkspaceParams,
  response: ResolveAutostartResponse,
});
