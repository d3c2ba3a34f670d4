import type { Relay } from "@slipway/relay";
import type { UnfinishedBytes } from "@slipway/runtime";
import type { Registry } from "prom-client";

import { WriteBudgets } from "../features/agents/calls/write-budgets.ts";
import { TerminalLog } from "../features/agents/connections/terminal-log.ts";
import { connectionSettings } from "../features/agents/manifest/connection-routes.ts";
import type { ReadDerpMap } from "../features/agents/manifest/derp-map.ts";
import type { AuditNotes } from "../features/audit/note-service.ts";
import { ConnectionNotices } from "../features/notifications/inbox-service.ts";
import type { AgentHttp } from "../gateway/agent-http/agent-http.ts";
import { addConnectionPathRoutes } from "../gateway/connection-paths/connection-path-routes.ts";
import { addContainerRoutes } from "../gateway/containers/container-routes.ts";
import { addFileRoutes } from "../gateway/files/file-routes.ts";
import { addListeningPortRoutes } from "../gateway/listening-ports/listening-port-routes.ts";
import type { RunAudit } from "../gateway/runs/run-audit.ts";
import { addRunRoutes } from "../gateway/runs/run-routes.ts";
import { addTerminalRoutes } from "../gateway/terminals/pty-routes.ts";
import { type AbsentClients, ClientAccess } from "../network/clients/client-access.ts";
import { clientRpcs } from "../network/clients/client-rpcs.ts";
import { ResumeTokens } from "../network/clients/resume-token.ts";
import { addTailnetRoutes } from "../network/clients/tailnet-routes.ts";
import type { Coordinator } from "../network/coordinator/coordinator.ts";
import { openOwnNetwork } from "../network/own-peer/open-own-network.ts";
import {
  addOwnPeerCounters,
  addOwnPeerGauges,
  type AgentReach,
  OwnPeer,
} from "../network/own-peer/own-peer.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";

interface NetworkParts {
  readonly coordinator: Coordinator;
  readonly readDerpMap: ReadDerpMap;
}

interface OwnPeerParts extends NetworkParts {
  readonly relay: Relay;
  readonly registry: Registry;
}

interface NetworkRouteParts extends NetworkParts {
  readonly secrets: SecretBox;
  readonly absent: AbsentClients;
  readonly unfinished: UnfinishedBytes;
  readonly reach: AgentReach;
  readonly agents: AgentHttp;
  readonly notes: AuditNotes;
  readonly runAudit: RunAudit;
}

/** The server's own peer, by which it reaches agents; its opener closes it before the relay and the coordinator. */
export function createOwnPeer(
  { clock, logger }: Pick<Platform, "clock" | "logger">,
  { coordinator, relay, registry, readDerpMap }: OwnPeerParts,
): OwnPeer {
  const needs = { coordinator, relay, readDerpMap, clock };
  const ownLogger = logger.child({ part: "own peer" });
  const disableDirect = connectionSettings.disable_direct_connections;
  const ownPeer = new OwnPeer({
    ...addOwnPeerCounters(registry),
    open: () => openOwnNetwork({ ...needs, disableDirect, logger: ownLogger }),
    logger: ownLogger,
  });
  addOwnPeerGauges(registry, ownPeer);
  return ownPeer;
}

/**
 * Adds the routes on which clients reach agents, directly or through the server. The caller runs the result, which
 * watches their rights.
 */
export function wireNetwork(
  { routes, settings: { limits } }: Site,
  platform: Platform,
  {
    secrets,
    coordinator,
    absent,
    unfinished,
    readDerpMap,
    reach,
    agents,
    notes,
    runAudit,
  }: NetworkRouteParts,
): ClientAccess {
  const { clock } = platform;
  const tokens = new ResumeTokens(secrets, clock);
  const notices = new ConnectionNotices(platform);
  const access = new ClientAccess({ ...platform, limits, absent, notices });
  const budgets = new WriteBudgets(clock);
  const rpcs = clientRpcs({ ...platform, coordinator, tokens, readDerpMap });
  const sessions = { ...platform, rpcs, coordinator, access, budgets, unfinished };
  addTailnetRoutes(routes, { ...sessions, tokens });
  addListeningPortRoutes(routes, { ...platform, agents });
  addConnectionPathRoutes(routes, { ...platform, agents, readDerpMap });
  addContainerRoutes(routes, { ...platform, agents, notes });
  addRunRoutes(routes, { ...platform, agents, notices, audit: runAudit });
  const log = new TerminalLog({ ...platform, budgets });
  addTerminalRoutes(routes, { ...platform, reach, notices, log });
  addFileRoutes(routes, { ...platform, agents, notices, notes });
  return access;
}
