import { Type } from "typebox";

import { MessageBody } from "../contract/api-error.ts";
import { defineRoute } from "../contract/route.ts";
import { JobLog, LogQuery } from "../jobs/job.ts";
import { BuildParameter, maxStateLength, WorkspaceBuild } from "./build.ts";
import { WorkspaceResource } from "./resource.ts";
import { BuildTimings } from "./timings.ts";

const BuildParams = Type.Object({ build: Type.String() });

export const getBuild = defineRoute({
  method: "GET",
  path: "/workspacebuilds/:build",
  summary: "Get a build",
  scopes: ["workspace:read"],
  params: BuildParams,
  response: WorkspaceBuild,
});

export const getBuildLogs = defineRoute({
  method: "GET",
  path: "/workspacebuilds/:build/logs",
  summary: "Read or follow the log of a build",
  scopes: ["workspace:read"],
  kind: "json-or-socket",
  params: BuildParams,
  query: LogQuery,
  response: Type.Array(JobLog),
});

export const listBuildParameters = defineRoute({
  method: "GET",
  path: "/workspacebuilds/:build/parameters",
  summary: "List the parameter values of a build",
  scopes: ["workspace:read"],
  params: BuildParams,
  response: Type.Array(BuildParameter),
});

export const listBuildResources = defineRoute({
  method: "GET",
  path: "/workspacebuilds/:build/resources",
  summary: "List the resources of a build",
  scopes: ["workspace:read"],
  params: BuildParams,
  response: Type.Array(WorkspaceResource),
});

export const cancelBuild = defineRoute({
  method: "PATCH",
  path: "/workspacebuilds/:build/cancel",
  summary: "Cancel a pending or running build",
  scopes: ["workspace:update"],
  params: BuildParams,
  query: Type.Object({ expect_status: Type.Optional(Type.String()) }),
  response: MessageBody,
});

export const getBuildState = defineRoute({
  method: "GET",
  path: "/workspacebuilds/:build/state",
  summary: "Get the provisioner state of a build (empty unless its driver is terraform)",
  kind: "bytes",
  params: BuildParams,
  response: Type.Unknown(),
});

export const updateBuildState = defineRoute({
  method: "PUT",
  path: "/workspacebuilds/:build/state",
  summary: "Replace the provisioner state of a workspace's newest build",
  params: BuildParams,
  /** `force=true` replaces a newer state, and that of another lineage. */
  query: Type.Object({ force: Type.Optional(Type.String()) }),
  body: Type.Object({
    /** In base64. */
    state: Type.String({ maxLength: maxStateLength }),
  }),
  maxBodyBytes: maxStateLength + 1024,
  status: 204,
  response: Type.Null(),
});

export const getBuildTimings = defineRoute({
  method: "GET",
  path: "/workspacebuilds/:build/timings",
  summary: "Get the timings of a build",
  scopes: ["workspace:read"],
  params: BuildParams,
  response: BuildTimings,
});
