import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer } from "../contract/scalars.ts";
import { AuthCheckRequest } from "./auth-check.ts";
import {
  Appearance,
  DeploymentConfig,
  DeploymentStats,
  HealthReport,
  RegionsResponse,
  SshConfig,
  UpdateCheck,
} from "./deployment.ts";

export const BuildInfo = Type.Object({
  external_url: Type.String(),
  version: Type.String(),
  dashboard_url: Type.String(),
  telemetry: Type.Boolean(),
  workspace_proxy: Type.Boolean(),
  agent_api_version: Type.String(),
  provisioner_api_version: Type.String(),
  upgrade_message: Type.String(),
  deployment_id: Type.String(),
});
export type BuildInfo = Infer<typeof BuildInfo>;

export const getBuildInfo = defineRoute({
  method: "GET",
  path: "/buildinfo",
  summary: "Version and address of this server",
  tag: "deployment",
  caller: "anyone",
  response: BuildInfo,
});

export const getSshConfig = defineRoute({
  method: "GET",
  path: "/deployment/ssh",
  summary: "What the command writes into an SSH configuration",
  scopes: ["workspace:ssh"],
  response: SshConfig,
});

export const getDeploymentConfig = defineRoute({
  method: "GET",
  path: "/deployment/config",
  summary: "The settings of this server, without secrets",
  response: DeploymentConfig,
});

export const getAppearance = defineRoute({
  method: "GET",
  path: "/appearance",
  summary: "Name, documentation and banners of this deployment",
  tag: "deployment",
  caller: "anyone",
  response: Appearance,
});

export const listRegions = defineRoute({
  method: "GET",
  path: "/regions",
  summary: "List where applications are served",
  scopes: ["workspace:ssh"],
  tag: "deployment",
  response: RegionsResponse,
});

export const getApplicationsHost = defineRoute({
  method: "GET",
  path: "/applications/host",
  summary: "The host under which applications have names of their own; empty without one",
  tag: "deployment",
  response: Type.Object({ host: Type.String() }),
});

export const listExperiments = defineRoute({
  method: "GET",
  path: "/experiments",
  summary: "List the experiments that are on",
  tag: "deployment",
  response: Type.Array(Type.String()),
});

export const listScopes = defineRoute({
  method: "GET",
  path: "/auth/scopes",
  summary: "List the scopes that a token may have",
  tag: "deployment",
  caller: "anyone",
  response: Type.Object({ external: Type.Array(Type.String()) }),
});

export const checkAuthorization = defineRoute({
  method: "POST",
  path: "/authcheck",
  summary: "Tell what the caller may do",
  tag: "deployment",
  body: AuthCheckRequest,
  response: Type.Record(Type.String(), Type.Boolean()),
});

export const getUpdateCheck = defineRoute({
  method: "GET",
  path: "/updatecheck",
  summary: "Tell whether a newer release is known; this server never asks for one",
  tag: "deployment",
  caller: "anyone",
  response: UpdateCheck,
});

export const getHealthReport = defineRoute({
  method: "GET",
  path: "/debug/health",
  summary: "How the deployment is",
  tag: "deployment",
  response: HealthReport,
});

export const getDeploymentStats = defineRoute({
  method: "GET",
  path: "/deployment/stats",
  summary: "How the deployment is used",
  response: DeploymentStats,
});
