import { IdentityVerifier } from "@slipway/identity";
import type { UnfinishedBytes } from "@slipway/runtime";

import type { ConnectionMonitor } from "../features/agents/connection/connection-monitor.ts";
import type { ReadDerpMap } from "../features/agents/derp-map.ts";
import { addInstanceIdentityRoutes } from "../features/agents/identity/instance-identity-routes.ts";
import { addMeExternalAuthRoutes } from "../features/agents/me/external-auth-routes.ts";
import { LogInWaits } from "../features/agents/me/log-in-waits.ts";
import {
  addMeGitKeyRoute,
  addMeLogRoutes,
  addMeStatusRoute,
} from "../features/agents/me/me-routes.ts";
import type { MetadataSink } from "../features/agents/metadata/metadata-batcher.ts";
import { addAgentRoutes } from "../features/agents/routes.ts";
import { agentRpcs } from "../features/agents/rpc/handlers.ts";
import { addRpcRoute } from "../features/agents/rpc/rpc-route.ts";
import { WriteBudgets } from "../features/agents/rpc/write-budgets.ts";
import type { AuditNotes } from "../features/audit/note-service.ts";
import { noteActivity } from "../features/builds/deadline-service.ts";
import { readAppearance } from "../features/deployment/appearance-service.ts";
import type { Metrics } from "../features/deployment/metrics.ts";
import type { ExternalAuthNeeds } from "../features/external-auth/service.ts";
import { addExternalAgentRoutes } from "../features/workspaces/external-agent-routes.ts";
import { coordinateAgentPeer } from "../network/agent-peer.ts";
import type { Coordinator } from "../network/coordinator/coordinator.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import { isGitType } from "../platform/config/known-providers.ts";
import type { Site } from "./open-http.ts";
import type { Platform } from "./platform.ts";

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
}

/** Adds the routes for agents: those of users, of machines, and of the agents themselves. */
export function wireAgents(
  { routes, settings, accessUrl, urlFor }: Site,
  { db, pubsub, clock, logger }: Platform,
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
  }: AgentParts,
): void {
  const { connectedAgents, storedLogLines } = metrics;
  const identities = new IdentityVerifier({ clock, logger, settings: settings.identity });
  const budgets = new WriteBudgets(clock);
  addAgentRoutes(routes, { db, pubsub, clock, readDerpMap });
  addExternalAgentRoutes(routes, { db, secrets, notes, urlFor, hasDownloads });
  addInstanceIdentityRoutes(routes, { db, secrets, notes, logger, identities });
  addMeLogRoutes(routes, { db, pubsub, clock, storedLogLines });
  addMeStatusRoute(routes, { db, pubsub, budgets });
  addMeGitKeyRoute(routes, { db, secrets, notes });
  const waits = new LogInWaits(metrics.registry);
  addMeExternalAuthRoutes(routes, { ...externalAuth, accessUrl, waits });
  addRpcRoute(routes, {
    rpcs: agentRpcs({
      db,
      pubsub,
      clock,
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
    connectedAgents,
    clock,
    logger,
  });
}
