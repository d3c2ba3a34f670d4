import type { Route } from "@slipway/api";
import type { Clock, Logger } from "@slipway/runtime";

import { AgentSessions } from "../agents/agent-sessions.ts";
import type { Heartbeat } from "../agents/heartbeat.ts";
import { IdentityVerifier } from "../agents/identity/verifier.ts";
import type { MetadataSink } from "../agents/metadata-batcher.ts";
import { addAgentRoutes } from "../agents/routes.ts";
import { WriteBudgets } from "../agents/write-budgets.ts";
import type { AuditNotes } from "../audit/note-service.ts";
import { addAuditRoutes } from "../audit/routes.ts";
import { PasswordAttempts } from "../auth/password-attempts.ts";
import type { SecretBox } from "../auth/secret-box.ts";
import { createAuthenticator } from "../auth/service.ts";
import { noteActivity } from "../builds/deadline-service.ts";
import { addBuildRoutes } from "../builds/routes.ts";
import type { Settings } from "../config/settings.ts";
import type { Database } from "../db/database.ts";
import { addDocsPage } from "../deployment/docs-page.ts";
import { measureRequests, type Metrics } from "../deployment/metrics.ts";
import { addOpenApiRoutes } from "../deployment/openapi-routes.ts";
import { addPages } from "../deployment/page-routes.ts";
import { addDeploymentRoutes, addMonitoringRoutes } from "../deployment/routes.ts";
import { readDeploymentId } from "../deployment/service.ts";
import type { Driver } from "../drivers/driver.ts";
import { addFileRoutes } from "../files/routes.ts";
import { Admissions } from "../http/admission.ts";
import { limitConnections } from "../http/connections.ts";
import { createHttpServer } from "../http/http-server.ts";
import { RequestLimits } from "../http/request-limits.ts";
import { Routes } from "../http/routes.ts";
import type { JobLogPart } from "../jobs/log-stream.ts";
import { addNotificationRoutes } from "../notifications/routes.ts";
import { addProvisionerRoutes } from "../organizations/provisioner-routes.ts";
import { addOrganizationRoutes } from "../organizations/routes.ts";
import { takePrebuild } from "../prebuilds/claim/service.ts";
import { defaultReconciler } from "../prebuilds/reconcile/reconciler.ts";
import { addPrebuildRoutes } from "../prebuilds/routes.ts";
import { GatheredReads } from "../pubsub/gathered-reads.ts";
import type { PostgresPubSub } from "../pubsub/postgres-pubsub.ts";
import { addTemplateRoutes } from "../templates/routes.ts";
import { addCliAuthPage } from "../users/cli-auth-routes.ts";
import { addGitKeyRoutes } from "../users/git-key-routes.ts";
import { readUsersById } from "../users/list-service.ts";
import { addUserRoutes } from "../users/routes.ts";
import { findVisibleUser } from "../users/service.ts";
import { addExternalAgentRoutes } from "../workspaces/external-agent-routes.ts";
import { addWorkspaceRoutes } from "../workspaces/routes.ts";
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
  /** The routes of the contract that it serves. */
  readonly routes: readonly Route[];
}

/** The listener with the routes of every feature. */
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
  addWorkspaceRoutes(routes, { ...needs, limits, takePrebuild, claimSeconds });
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
