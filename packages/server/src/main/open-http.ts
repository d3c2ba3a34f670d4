import type { Route } from "@slipway/api";
import type { Driver } from "@slipway/drivers";
import { IdentityVerifier } from "@slipway/identity";
import type { Clock, Logger } from "@slipway/runtime";

import { AgentSessions } from "../features/agents/connection/agent-sessions.ts";
import type { Heartbeat } from "../features/agents/connection/heartbeat.ts";
import type { MetadataSink } from "../features/agents/metadata/metadata-batcher.ts";
import { addAgentRoutes } from "../features/agents/routes.ts";
import { WriteBudgets } from "../features/agents/rpc/write-budgets.ts";
import type { AuditNotes } from "../features/audit/note-service.ts";
import { addAuditRoutes } from "../features/audit/routes.ts";
import { noteActivity } from "../features/builds/deadline-service.ts";
import { addBuildRoutes } from "../features/builds/routes.ts";
import { addDocsPage } from "../features/deployment/docs-page.ts";
import { measureRequests, type Metrics } from "../features/deployment/metrics.ts";
import { addOpenApiRoutes } from "../features/deployment/openapi-routes.ts";
import { addPages } from "../features/deployment/page-routes.ts";
import { addDeploymentRoutes, addMonitoringRoutes } from "../features/deployment/routes.ts";
import { readDeploymentId } from "../features/deployment/service.ts";
import { addFileRoutes } from "../features/files/routes.ts";
import { addNotificationRoutes } from "../features/notifications/routes.ts";
import { addProvisionerRoutes } from "../features/organizations/provisioner-routes.ts";
import { addOrganizationRoutes } from "../features/organizations/routes.ts";
import { defaultReconciler } from "../features/prebuilds/reconcile/reconciler.ts";
import { addPrebuildRoutes } from "../features/prebuilds/routes.ts";
import { addTemplateRoutes } from "../features/templates/routes.ts";
import { addCliAuthPage } from "../features/users/cli-auth-routes.ts";
import { addGitKeyRoutes } from "../features/users/git-key-routes.ts";
import { readUsersById } from "../features/users/list-service.ts";
import { addUserRoutes } from "../features/users/routes.ts";
import { findVisibleUser } from "../features/users/service.ts";
import { addExternalAgentRoutes } from "../features/workspaces/external-agent-routes.ts";
import { addWorkspaceRoutes } from "../features/workspaces/routes.ts";
import { PasswordAttempts } from "../platform/auth/password-attempts.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import { createAuthenticator } from "../platform/auth/service.ts";
import type { Settings } from "../platform/config/settings.ts";
import type { Database } from "../platform/db/database.ts";
import { Admissions } from "../platform/http/admission.ts";
import { limitConnections } from "../platform/http/connections.ts";
import { createHttpServer } from "../platform/http/http-server.ts";
import { RequestLimits } from "../platform/http/request-limits.ts";
import { Routes } from "../platform/http/routes.ts";
import type { JobLogPart } from "../platform/jobs/log-stream.ts";
import { GatheredReads } from "../platform/pubsub/gathered-reads.ts";
import type { PostgresPubSub } from "../platform/pubsub/postgres-pubsub.ts";
import { connectionLimits } from "./connection-limits.ts";
import { type Listener, listen } from "./listen.ts";
import { buildVersion, slipwayVersion, versionHeader } from "./version.ts";

interface HttpNeeds {
  readonly db: Database;
  readonly pubsub: PostgresPubSub;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
  readonly metadata: MetadataSink;
  readonly heartbeat: Heartbeat;
  readonly metrics: Metrics;
  readonly replicaId: string;
  readonly drivers: ReadonlyMap<string, Driver>;
}

export interface OpenHttp extends Listener, Pick<Routes, "streams"> {
  /** The served routes of the contract. */
  readonly routes: readonly Route[];
}

/** Creates the listener with the routes of every feature. */
export async function openHttp(needs: HttpNeeds, settings: Settings): Promise<OpenHttp> {
  const { db, logger } = needs;
  let accessUrl = settings.accessUrl ?? "";
  const requestLimits = new RequestLimits(needs.clock);
  const { limits, trustedProxies } = settings;
  const app = await createHttpServer(versionHeader, logger, {
    trustedProxies,
    limits: requestLimits,
    accessUrl: () => accessUrl,
  });
  const connections = limitConnections(app, connectionLimits(limits), trustedProxies);
  const { metrics } = needs;
  measureRequests(app, metrics);
  const authenticator = createAuthenticator(db, () => accessUrl, limits);
  const routes = new Routes(app, new Admissions(authenticator, requestLimits), logger, limits);
  const deploymentId = await readDeploymentId(db);
  addDeploymentRoutes(routes, {
    ...needs,
    version: buildVersion,
    accessUrl: () => accessUrl,
    deploymentId,
    settings,
  });
  addOpenApiRoutes(routes, buildVersion);
  addDocsPage(app);
  addPages(app, { limits: requestLimits, version: slipwayVersion, accessUrl: () => accessUrl });
  addMonitoringRoutes(app, { ...needs, metrics: metrics.registry, limits: requestLimits });
  addNotificationRoutes(routes);
  const attempts = new PasswordAttempts(needs.clock);
  const logInNeeds = { ...needs, attempts, accessUrl: () => accessUrl };
  addCliAuthPage(app, logInNeeds, requestLimits);
  addAuditRoutes(routes, db, (userIds) => readUsersById(db, userIds));
  addUserRoutes(routes, { ...logInNeeds, limits });
  addGitKeyRoutes(routes, needs);
  addOrganizationRoutes(routes, db, (caller, reference) => findVisibleUser(db, caller, reference));
  addProvisionerRoutes(routes, db);
  addFileRoutes(routes, { db, limits });
  const jobLogReads = new GatheredReads<JobLogPart>();
  addTemplateRoutes(routes, { ...needs, limits, jobLogReads });
  addBuildRoutes(routes, { ...needs, jobLogReads });
  const { claimSeconds } = metrics;
  addWorkspaceRoutes(routes, { ...needs, limits, claimSeconds });
  addExternalAgentRoutes(routes, { ...needs, accessUrl: () => accessUrl });
  addPrebuildRoutes(routes, { ...needs, limits: defaultReconciler });
  addAgentRoutes(routes, {
    ...needs,
    ...metrics,
    identities: new IdentityVerifier({ ...needs, settings: settings.identity }),
    noteActivity: (workspaceId) => noteActivity(db, workspaceId),
    sessions: new AgentSessions(),
    budgets: new WriteBudgets(needs.clock),
    maxSubAgents: settings.limits.maxSubAgentsPerAgent,
  });
  const listener = await listen(app, connections, settings);
  accessUrl = listener.accessUrl;
  return { ...listener, routes: routes.added, streams: routes.streams };
}
