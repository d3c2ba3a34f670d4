import { Agent, Tailnet } from "@slipway/wire";

import { duplex, type RpcHandlers, serverStream, unary } from "../../rpc/handler.ts";
import { updateAppHealths } from "./app-health.ts";
import { updateAppStatus } from "./app-status.ts";
import { announcementBanners, serviceBanner } from "./banners.ts";
import { reportBoundaryLogs } from "./boundary-logs.ts";
import { reportConnection } from "./connections.ts";
import type { AgentRpcContext } from "./context.ts";
import { coordinate } from "./coordinate.ts";
import { streamDerpMaps } from "./derp-maps.ts";
import { updateLifecycle } from "./lifecycle.ts";
import { logReceiver } from "./logs.ts";
import { getManifest } from "./manifest.ts";
import { batchUpdateMetadata } from "./metadata.ts";
import { resourceMonitoring } from "./resource-monitoring.ts";
import { scriptCompleted } from "./script-timing.ts";
import { updateStartup } from "./startup.ts";
import { updateStats } from "./stats.ts";
import { createSubAgent, deleteSubAgent, listSubAgents } from "./sub-agents.ts";

/**
 * The RPCs that the agent of one session may call (`rpc.md` sections 6 and 7). What is not here is answered with code
 * 12: PushContextState, which a stock agent then leaves alone, RefreshResumeToken and WorkspaceUpdates.
 */
export function agentRpcHandlers(context: AgentRpcContext): RpcHandlers {
  return new Map([
    ...ownHandlers(context),
    ...subAgentHandlers(context),
    ...networkHandlers(context),
  ]);
}

function ownHandlers(context: AgentRpcContext) {
  const method = Agent.method;
  const createLogs = logReceiver(context);
  const monitoring = resourceMonitoring(context);
  return [
    unary(method.getManifest, () => getManifest(context)),
    unary(method.updateStartup, (request) => updateStartup(context, request)),
    unary(method.updateLifecycle, (request) => updateLifecycle(context, request)),
    unary(method.updateStats, (request) => updateStats(context, request)),
    unary(method.batchUpdateAppHealths, (request) => updateAppHealths(context, request)),
    unary(method.batchUpdateMetadata, (request) => batchUpdateMetadata(context, request)),
    unary(method.batchCreateLogs, createLogs),
    unary(method.getAnnouncementBanners, announcementBanners),
    unary(method.getServiceBanner, serviceBanner),
    unary(method.scriptCompleted, (request) => scriptCompleted(context, request)),
    unary(method.getResourcesMonitoringConfiguration, monitoring.configuration),
    unary(method.pushResourcesMonitoringUsage, monitoring.push),
    unary(method.reportConnection, (request) => reportConnection(context, request)),
    unary(method.updateAppStatus, (request) => updateAppStatus(context, request)),
    unary(method.reportBoundaryLogs, (request) => reportBoundaryLogs(context, request)),
  ];
}

function subAgentHandlers(context: AgentRpcContext) {
  const method = Agent.method;
  return [
    unary(method.createSubAgent, (request) => createSubAgent(context, request)),
    unary(method.deleteSubAgent, (request) => deleteSubAgent(context, request)),
    unary(method.listSubAgents, () => listSubAgents(context)),
  ];
}

function networkHandlers(context: AgentRpcContext) {
  const method = Tailnet.method;
  return [
    serverStream(method.streamDERPMaps, (_, signal) => streamDerpMaps(signal)),
    duplex(method.coordinate, (requests) => coordinate(context.agent.agentId, requests)),
    // An empty answer with no storage is a conforming server (`rpc.md` section 6.6).
    unary(method.postTelemetry, async () => ({})),
  ];
}
