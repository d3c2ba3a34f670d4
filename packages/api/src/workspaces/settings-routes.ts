import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { MessageBody } from "../errors/api-error.ts";
import {
  AutomaticUpdatesRequest,
  AutostartRequest,
  DormantRequest,
  ExtendRequest,
  RenameWorkspaceRequest,
  ResolveAutostartResponse,
  TtlRequest,
} from "./settings.ts";
import { Workspace } from "./workspace.ts";

const params = Type.Object({ workspace: Type.String() });

export const renameWorkspace = defineRoute({
  method: "PATCH",
  path: "/workspaces/:workspace",
  summary: "Rename a workspace",
  params,
  body: RenameWorkspaceRequest,
  status: 204,
  response: Type.Null(),
});

export const favoriteWorkspace = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/favorite",
  summary: "List a workspace before the others",
  params,
  status: 204,
  response: Type.Null(),
});

export const unfavoriteWorkspace = defineRoute({
  method: "DELETE",
  path: "/workspaces/:workspace/favorite",
  summary: "List a workspace among the others again",
  params,
  status: 204,
  response: Type.Null(),
});

export const updateAutomaticUpdates = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/autoupdates",
  summary: "Say whether a workspace starts with the active version of its template",
  params,
  body: AutomaticUpdatesRequest,
  status: 204,
  response: Type.Null(),
});

export const updateTtl = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/ttl",
  summary: "Say how long after a start a workspace stops by itself",
  params,
  body: TtlRequest,
  status: 204,
  response: Type.Null(),
});

export const updateAutostart = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/autostart",
  summary: "Say when a workspace starts by itself",
  params,
  body: AutostartRequest,
  status: 204,
  response: Type.Null(),
});

export const extendWorkspace = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/extend",
  summary: "Let a running workspace stop by itself at another time",
  params,
  body: ExtendRequest,
  mayBeUnchanged: true,
  response: MessageBody,
});

export const updateDormancy = defineRoute({
  method: "PUT",
  path: "/workspaces/:workspace/dormant",
  summary: "Put a workspace to sleep or wake it up",
  params,
  body: DormantRequest,
  mayBeUnchanged: true,
  response: Workspace,
});

export const reportWorkspaceUsage = defineRoute({
  method: "POST",
  path: "/workspaces/:workspace/usage",
  summary: "Say that a workspace is in use",
  params,
  status: 204,
  response: Type.Null(),
});

export const resolveAutostart = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/resolve-autostart",
  summary: "Tell whether a start with the active version needs parameters that are not there",
  params,
  response: ResolveAutostartResponse,
});
