import { IdentityVerifier } from "@slipway/identity";
import type { UnfinishedBytes } from "@slipway/runtime";

import { addAppStatusRoute } from "../features/agents/apps/app-status-routes.ts";
import { WriteBudgets } from "../features/agents/calls/write-budgets.ts";
import { addConnectionLogRoutes } from "../features/agents/connections/connection-log-routes.ts";
import type { ConnectionMonitor } from "../features/agents/connections/connection-monitor.ts";
import { addInstanceIdentityRoutes } from "../features/agents/identity/instance-identity-routes.ts";
import type { ProvePod } from "../features/agents/identity/pod-service.ts";
import { addKeptRunRoutes } from "../features/agents/kept-runs/run-routes.ts";
import { addLogRoutes } from "../features/agents/logs/log-routes.ts";
import { addConnectionRoutes } from "../features/agents/manifest/connection-routes.ts";
import type { ReadDerpMap } from "../features/agents/manifest/derp-map.ts";
import type { MetadataSink } from "../features/agents/metadata/metadata-batcher.ts";
import { addMetadataRoutes } from "../features/agents/metadata/metadata-routes.ts";
import { LogInWaits } from "../features/agents/owner-secrets/external-auth-service.ts";
import {
  addOwnerKeyRoute,
  addOwnerTokenRoutes,
} from "../features/agents/owner-secrets/owner-secret-routes.ts";
import { addAgentRoutes } from "../features/agents/routes.ts";
import { agentRpcs } from "../features/agents/rpc/handlers.ts";
import { NewSessions } from "../features/agents/rpc/new-sessions.ts";
import { addRpcRoute } from "../features/agents/rpc/rpc-route.ts";
import type { AuditNotes } from "../features/audit/note-service.ts";
import { noteActivity } from "../features/builds/deadline-service.ts";
import type { Metrics } from "../features/deployment/metrics.ts";
import { readAppearance } from "../features/deployment/service.ts";
import type { ExternalAuthNeeds } from "../features/external-auth/service.ts";
import { addWorkspaceConnectionRoutes } from "../features/workspaces/connection-routes.ts";
import { addExternalAgentRoutes } from "../features/workspaces/external-agent-routes.ts";
import { addKeptRunOutputRoutes } from "../features/workspaces/run-routes.ts";
import { coordinateAgentPeer } from "../network/coordinator/agent-peer.ts";
import type { Coordinator } from "../network/coordinator/coordinator.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import { isGitType } from "../platform/config/known-providers.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";

interface AgentParts {
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
  readonly metadata: MetadataSink;
  readonly monitor: ConnectionMonitor;
  readonly metrics: Pick<Metrics, "connectedAgents" | "storedLogLines" | "registry">;
  readonly readDerpMap: ReadDerpMap;
  readonly coordinator: Coordinator;
  readonly unfinished: UnfinishedBytes;
  readonly hasDownloads: boolean;
  readonly externalAuth: ExternalAuthNeeds;
  readonly provePod: ProvePod | undefined;
}

/** Adds the routes for agents: those of users, of machines, and of the agents themselves. */
export function wireAgents(
  { routes, turns, settings, accessUrl, urlFor }: Site,
  platform: Platform,
  {
    secrets,
    notes,
    metadata,
    monitor,
    metrics,
    readDerpMap,
    coordinator,
    unfinished,
    hasDownloads,
    externalAuth,
    provePod,
  }: AgentParts,
): void {
  const { db, clock, logger } = platform;
  const { connectedAgents, storedLogLines } = metrics;
  const identities = new IdentityVerifier({ clock, logger, settings: settings.identity });
  const budgets = new WriteBudgets(clock);
  addAgentRoutes(routes, platform);
  addLogRoutes(routes, { ...platform, storedLogLines });
  addMetadataRoutes(routes, platform);
  addAppStatusRoute(routes, { ...platform, budgets });
  addConnectionRoutes(routes, { db, readDerpMap });
  addConnectionLogRoutes(routes, db);
  addWorkspaceConnectionRoutes(routes, db);
  addKeptRunRoutes(routes, db);
  addKeptRunOutputRoutes(routes, db);
  addExternalAgentRoutes(routes, { db, secrets, notes, urlFor, hasDownloads });
  addInstanceIdentityRoutes(routes, { ...platform, secrets, notes, identities, provePod });
  addOwnerKeyRoute(routes, { db, secrets, notes });
  const waits = new LogInWaits(metrics.registry);
  addOwnerTokenRoutes(routes, { ...externalAuth, accessUrl, waits });
  addRpcRoute(routes, {
    ...platform,
    rpcs: agentRpcs({
      ...platform,
      secrets,
      metadata,
      readDerpMap,
      readAppearance: () => readAppearance(db),
      noteActivity: (workspaceId) => noteActivity(db, workspaceId),
      storedLogLines,
      gitAuthConfigs: externalAuth.providers.list.filter(({ type }) => isGitType(type)).length,
      maxSubAgents: settings.limits.maxSubAgentsPerAgent,
      coordinate: (caller, requests, signal) =>
        coordinateAgentPeer({ coordinator, clock, readDerpMap }, caller, requests, signal),
    }),
    monitor,
    budgets,
    unfinished,
    newSessions: new NewSessions({ clock, turns }),
    connectedAgents,
  });
}
