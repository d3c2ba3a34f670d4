import { Type } from "typebox";

import { CreateBuildRequest, maxBuildBodyBytes, WorkspaceBuild } from "../builds/build.ts";
import { BuildTimings } from "../builds/timings.ts";
import { defineRoute } from "../contract/route.ts";

const WorkspaceParams = Type.Object({ workspace: Type.String() });

export const createBuild = defineRoute({
  method: "POST",
  path: "/workspaces/:workspace/builds",
  summary: "Start, stop or delete a workspace",
  // The body decides which of them the build requires.
  scopes: ["workspace:start", "workspace:stop", "workspace:delete"],
  params: WorkspaceParams,
  body: CreateBuildRequest,
  maxBodyBytes: maxBuildBodyBytes,
  status: 201,
  response: WorkspaceBuild,
});

export const listBuilds = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/builds",
  summary: "List the builds of a workspace, newest first",
  scopes: ["workspace:read"],
  params: WorkspaceParams,
  response: Type.Array(WorkspaceBuild),
});

export const getBuildByNumber = defineRoute({
  method: "GET",
  path: "/users/:user/workspace/:name/builds/:number",
  summary: "Get a build by workspace name and number",
  scopes: ["workspace:read"],
  params: Type.Object({ user: Type.String(), name: Type.String(), number: Type.String() }),
  response: WorkspaceBuild,
});

export const getWorkspaceTimings = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/timings",
  summary: "Get the timings of a workspace's latest build",
  scopes: ["workspace:read"],
  params: WorkspaceParams,
  response: BuildTimings,
});
