import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, Timestamp } from "../contract/scalars.ts";
import { AuthCheckRequest } from "./auth-check.ts";
import {
  Appearance,
  AppearanceUpdate,
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
  summary: "Get the version and address of the server",
  tag: "deployment",
  caller: "anyone",
  response: BuildInfo,
});

export const getSshConfig = defineRoute({
  method: "GET",
  path: "/deployment/ssh",
  summary: "Get the SSH settings for clients",
  scopes: ["workspace:ssh"],
  response: SshConfig,
});

export const getDeploymentConfig = defineRoute({
  method: "GET",
  path: "/deployment/config",
  summary: "Get the server's settings, without secrets",
  response: DeploymentConfig,
});

export const getAppearance = defineRoute({
  method: "GET",
  path: "/appearance",
  summary: "Get the name, documentation URL and banners of the deployment",
  tag: "deployment",
  caller: "anyone",
  response: Appearance,
});

export const updateAppearance = defineRoute({
  method: "PUT",
  path: "/appearance",
  summary: "Set the banners that sessions in workspaces begin with",
  tag: "deployment",
  body: AppearanceUpdate,
  response: AppearanceUpdate,
});

export const listRegions = defineRoute({
  method: "GET",
  path: "/regions",
  summary: "List the regions that serve applications",
  scopes: ["workspace:ssh"],
  tag: "deployment",
  response: RegionsResponse,
});

export const getApplicationsHost = defineRoute({
  method: "GET",
  path: "/applications/host",
  summary: "Get the wildcard host for applications (empty if none)",
  tag: "deployment",
  response: Type.Object({ host: Type.String() }),
});

export const listExperiments = defineRoute({
  method: "GET",
  path: "/experiments",
  summary: "List enabled experiments",
  tag: "deployment",
  response: Type.Array(Type.String()),
});

/** The features that the stock command looks for before it uses them (docs/protocol/clients.md §0.6). */
const Entitlements = Type.Object({
  features: Type.Record(
    Type.String(),
    Type.Object({ entitlement: Type.Literal("entitled"), enabled: Type.Boolean() }),
  ),
  warnings: Type.Array(Type.String()),
  errors: Type.Array(Type.String()),
  has_license: Type.Boolean(),
  trial: Type.Boolean(),
  require_telemetry: Type.Boolean(),
  refreshed_at: Timestamp,
});

export const getEntitlements = defineRoute({
  method: "GET",
  path: "/entitlements",
  summary: "Get the features that clients look for before they use them",
  tag: "deployment",
  response: Entitlements,
});

export const listScopes = defineRoute({
  method: "GET",
  path: "/auth/scopes",
  summary: "List the scopes that a token can have",
  tag: "deployment",
  caller: "anyone",
  response: Type.Object({ external: Type.Array(Type.String()) }),
});

export const checkAuthorization = defineRoute({
  method: "POST",
  path: "/authcheck",
  summary: "Check the caller's permissions",
  tag: "deployment",
  body: AuthCheckRequest,
  response: Type.Record(Type.String(), Type.Boolean()),
});

export const getUpdateCheck = defineRoute({
  method: "GET",
  path: "/updatecheck",
  summary: "Get the result of the update check (this server never checks)",
  tag: "deployment",
  caller: "anyone",
  response: UpdateCheck,
});

export const getHealthReport = defineRoute({
  method: "GET",
  path: "/debug/health",
  summary: "Get the health of the deployment",
  tag: "deployment",
  response: HealthReport,
});

export const getDeploymentStats = defineRoute({
  method: "GET",
  path: "/deployment/stats",
  summary: "Get usage statistics of the deployment",
  response: DeploymentStats,
});

export const getOpenApi = defineRoute({
  method: "GET",
  path: "/openapi.json",
  summary: "Get the OpenAPI document of this API",
  tag: "deployment",
  caller: "anyone",
  response: Type.Record(Type.String(), Type.Unknown()),
});
