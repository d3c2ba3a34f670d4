import {
  Agent,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  Tailnet,
} from "@slipway/wire";

import {
  duplex,
  handlersOf,
  type RpcEntry,
  type RpcHandlers,
  type RpcTable,
  serverStream,
  unary,
} from "../../../platform/rpc/handler.ts";
import { updateAppHealths } from "./app-health.ts";
import { badRequestPrefix, updateAppStatus } from "./app-status.ts";
import { announcementBanners, serviceBanner } from "./banners.ts";
import { reportBoundaryLogs } from "./boundary-logs.ts";
import { boundedParser } from "./bounded.ts";
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
 * Returns the RPCs that the agent of one session may call (docs/protocol/rpc.md §6 and §7). Others are answered with
 * code 12: PushContextState, which a stock agent then stops using, RefreshResumeToken and WorkspaceUpdates.
 */
export function agentRpcHandlers(context: AgentRpcContext): RpcHandlers {
  return handlersOf(agentRpcs, context);
}

const { method: own } = Agent;
const { method: network } = Tailnet;

/** The RPCs with the parsers of their requests, created once. */
const agentRpcs: RpcTable<AgentRpcContext> = new Map([
  bounded(own.getManifest, getManifest),
  bounded(own.updateStartup, updateStartup),
  bounded(own.updateLifecycle, updateLifecycle),
  bounded(own.updateStats, updateStats),
  bounded(own.batchUpdateAppHealths, updateAppHealths),
  bounded(own.batchUpdateMetadata, batchUpdateMetadata),
  unary(own.batchCreateLogs, parseLogRequest, batchCreateLogs),
  bounded(own.getAnnouncementBanners, announcementBanners),
  bounded(own.getServiceBanner, serviceBanner),
  bounded(own.scriptCompleted, scriptCompleted),
  bounded(own.getResourcesMonitoringConfiguration, monitoringConfiguration),
  bounded(own.pushResourcesMonitoringUsage, pushMonitoringUsage),
  bounded(own.reportConnection, reportConnection),
  bounded(own.updateAppStatus, updateAppStatus, badRequestPrefix),
  bounded(own.reportBoundaryLogs, reportBoundaryLogs),
  bounded(own.createSubAgent, createSubAgent),
  bounded(own.deleteSubAgent, deleteSubAgent),
  bounded(own.listSubAgents, listSubAgents),
  serverStream(
    network.streamDERPMaps,
    boundedParser(network.streamDERPMaps.input),
    (_, __, signal) => streamDerpMaps(signal),
  ),
  duplex(network.coordinate, boundedParser(network.coordinate.input), ({ agent }, requests) =>
    coordinate(agent.agentId, requests),
  ),
  // An empty answer without storage conforms (docs/protocol/rpc.md §6.6); the request is not read.
  unary(
    network.postTelemetry,
    () => undefined,
    async () => ({}),
  ),
]);

interface UnaryMethod<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
  readonly output: O;
}

function bounded<I extends DescMessage, O extends DescMessage>(
  method: UnaryMethod<I, O>,
  answer: (context: AgentRpcContext, request: MessageShape<I>) => Promise<MessageInitShape<O>>,
  refusalPrefix = "",
): RpcEntry<AgentRpcContext> {
  return unary(method, boundedParser(method.input, refusalPrefix), answer);
}
