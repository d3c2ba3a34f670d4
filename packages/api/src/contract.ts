import * as agent from "./agents/agent.ts";
import * as appStatusRoutes from "./agents/app-status-routes.ts";
import * as app from "./agents/app.ts";
import * as authRedirectRoutes from "./agents/auth-redirect-routes.ts";
import * as connectionLogRoutes from "./agents/connection-log-routes.ts";
import * as connectionPathRoutes from "./agents/connection-path-routes.ts";
import * as connectionRoutes from "./agents/connection-routes.ts";
import * as containerRoutes from "./agents/container-routes.ts";
import * as derpMap from "./agents/derp-map.ts";
import * as agentFileRoutes from "./agents/file-routes.ts";
import * as instanceIdentityRoutes from "./agents/instance-identity-routes.ts";
import * as listeningPortRoutes from "./agents/listening-port-routes.ts";
import * as logRoutes from "./agents/log-routes.ts";
import * as metadataRoutes from "./agents/metadata-routes.ts";
import * as ownerSecretRoutes from "./agents/owner-secret-routes.ts";
import * as ptyRoutes from "./agents/pty-routes.ts";
import * as agentsRoutes from "./agents/routes.ts";
import * as runRoutes from "./agents/run-routes.ts";
import * as tailnetRoutes from "./agents/tailnet-routes.ts";
import * as auditLog from "./audit/audit-log.ts";
import * as auditRoutes from "./audit/routes.ts";
import * as build from "./builds/build.ts";
import * as resource from "./builds/resource.ts";
import * as buildsRoutes from "./builds/routes.ts";
import * as timings from "./builds/timings.ts";
import * as apiError from "./contract/api-error.ts";
import * as authCheck from "./deployment/auth-check.ts";
import * as deployment from "./deployment/deployment.ts";
import * as mcpRoutes from "./deployment/mcp-routes.ts";
import * as deploymentRoutes from "./deployment/routes.ts";
import * as externalAuth from "./external-auth/external-auth.ts";
import * as externalAuthRoutes from "./external-auth/routes.ts";
import * as fileRoutes from "./files/routes.ts";
import * as job from "./jobs/job.ts";
import * as provisioner from "./jobs/provisioner.ts";
import * as loginsRoutes from "./logins/routes.ts";
import * as notification from "./notifications/notification.ts";
import * as notificationsRoutes from "./notifications/routes.ts";
import * as organization from "./organizations/organization.ts";
import * as provisionerRoutes from "./organizations/provisioner-routes.ts";
import * as organizationsRoutes from "./organizations/routes.ts";
import * as prebuildsRoutes from "./prebuilds/routes.ts";
import * as dryRunRoutes from "./templates/dry-run-routes.ts";
import * as dynamicParameters from "./templates/dynamic-parameters.ts";
import * as parameterRoutes from "./templates/parameter-routes.ts";
import * as templatesRoutes from "./templates/routes.ts";
import * as templateVersion from "./templates/template-version.ts";
import * as template from "./templates/template.ts";
import * as versionRoutes from "./templates/version-routes.ts";
import * as deviceRoutes from "./users/device-routes.ts";
import * as gitKeyRoutes from "./users/git-key-routes.ts";
import * as keyRoutes from "./users/key-routes.ts";
import * as usersRoutes from "./users/routes.ts";
import * as sessionRoutes from "./users/session-routes.ts";
import * as token from "./users/token.ts";
import * as user from "./users/user.ts";
import * as workspaceBuildRoutes from "./workspaces/build-routes.ts";
import * as workspaceConnectionRoutes from "./workspaces/connection-routes.ts";
import * as externalAgentRoutes from "./workspaces/external-agent-routes.ts";
import * as portShareRoutes from "./workspaces/port-share-routes.ts";
import * as workspacesRoutes from "./workspaces/routes.ts";
import * as workspaceRunRoutes from "./workspaces/run-routes.ts";
import * as watchRoutes from "./workspaces/watch-routes.ts";
import * as workspace from "./workspaces/workspace.ts";

/**
 * The whole contract by the names of its exports: the routes, and the schemas that have a name in the OpenAPI document.
 * To use one of them, import its file instead.
 */
export const contract: Readonly<Record<string, unknown>> = {
  ...agent,
  ...app,
  ...appStatusRoutes,
  ...authRedirectRoutes,
  ...connectionLogRoutes,
  ...connectionRoutes,
  ...containerRoutes,
  ...agentFileRoutes,
  ...derpMap,
  ...instanceIdentityRoutes,
  ...connectionPathRoutes,
  ...listeningPortRoutes,
  ...logRoutes,
  ...metadataRoutes,
  ...ownerSecretRoutes,
  ...ptyRoutes,
  ...agentsRoutes,
  ...runRoutes,
  ...tailnetRoutes,
  ...auditLog,
  ...auditRoutes,
  ...build,
  ...resource,
  ...buildsRoutes,
  ...timings,
  ...apiError,
  ...authCheck,
  ...deployment,
  ...deploymentRoutes,
  ...externalAuth,
  ...externalAuthRoutes,
  ...job,
  ...provisioner,
  ...loginsRoutes,
  ...mcpRoutes,
  ...notification,
  ...notificationsRoutes,
  ...organization,
  ...provisionerRoutes,
  ...organizationsRoutes,
  ...prebuildsRoutes,
  ...dryRunRoutes,
  ...dynamicParameters,
  ...fileRoutes,
  ...parameterRoutes,
  ...templatesRoutes,
  ...template,
  ...templateVersion,
  ...versionRoutes,
  ...deviceRoutes,
  ...gitKeyRoutes,
  ...keyRoutes,
  ...usersRoutes,
  ...sessionRoutes,
  ...token,
  ...user,
  ...workspaceBuildRoutes,
  ...externalAgentRoutes,
  ...portShareRoutes,
  ...workspaceConnectionRoutes,
  ...workspacesRoutes,
  ...workspaceRunRoutes,
  ...watchRoutes,
  ...workspace,
};
