import { Agent, Tailnet } from "@slipway/wire";

import {
  duplex,
  handlersOf,
  type RpcHandlers,
  type RpcTable,
  serverStream,
  unary,
  unaryParsed,
} from "../../rpc/handler.ts";
import { updateAppHealths } from "./app-health.ts";
import { updateAppStatus } from "./app-status.ts";
import { announcementBanners, serviceBanner } from "./banners.ts";
import { reportBoundaryLogs } from "./boundary-logs.ts";
import { reportConnection } from "./connections.ts";
import type { AgentRpcContext } from "./context.ts";
import { coordinate } from "./coordinate.ts";
import { streamDerpMaps } from "./derp-maps.ts";
import { updateLifecycle } from "./lifecycle.ts";
import { batchCreateLogs, parseLogRequest } from "./logs.ts";
import { getManifest } from "./manifest.ts";
import { batchUpdateMetadata } from "./metadata.ts";
import { monitoringConfiguration, pushMonitoringUsage } from "./resource-monitoring.ts";
import { scriptCompleted } from "./script-timing.ts";
import { updateStartup } from "./startup.ts";
import { updateStats } from "./stats.ts";
import { createSubAgent, deleteSubAgent, listSubAgents } from "./sub-agents.ts";

/**
 * The RPCs that the agent of one session may call (`rpc.md` sections 6 and 7). What is not here is answered with code
 * 12: PushContextState, which a stock agent then leaves alone, RefreshResumeToken and WorkspaceUpdates.
 */
export function agentRpcHandlers(context: AgentRpcContext): RpcHandlers {
  return handlersOf(agentRpcs, context);
}

const { method: own } = Agent;
const { method: network } = Tailnet;

const agentRpcs: RpcTable<AgentRpcContext> = new Map([
  unary(own.getManifest, getManifest),
  unary(own.updateStartup, updateStartup),
  unary(own.updateLifecycle, updateLifecycle),
  unary(own.updateStats, updateStats),
  unary(own.batchUpdateAppHealths, updateAppHealths),
  unary(own.batchUpdateMetadata, batchUpdateMetadata),
  unaryParsed(own.batchCreateLogs, parseLogRequest, batchCreateLogs),
  unary(own.getAnnouncementBanners, announcementBanners),
  unary(own.getServiceBanner, serviceBanner),
  unary(own.scriptCompleted, scriptCompleted),
  unary(own.getResourcesMonitoringConfiguration, monitoringConfiguration),
  unary(own.pushResourcesMonitoringUsage, pushMonitoringUsage),
  unary(own.reportConnection, reportConnection),
  unary(own.updateAppStatus, updateAppStatus),
  unary(own.reportBoundaryLogs, reportBoundaryLogs),
  unary(own.createSubAgent, createSubAgent),
  unary(own.deleteSubAgent, deleteSubAgent),
  unary(own.listSubAgents, listSubAgents),
  serverStream(network.streamDERPMaps, (_, __, signal) => streamDerpMaps(signal)),
  duplex(network.coordinate, ({ agent }, requests) => coordinate(agent.agentId, requests)),
  // An empty answer with no storage is a conforming server (`rpc.md` section 6.6).
  unary(network.postTelemetry, async () => ({})),
]);
