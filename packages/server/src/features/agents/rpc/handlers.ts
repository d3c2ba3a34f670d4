import { duplex, type RpcEntry, type RpcTable, serverStream, unary } from "@slipway/rpc";
import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import type {
  CoordinateRequest,
  CoordinateResponseSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";

import { updateAppHealths } from "../apps/app-health-rpc.ts";
import { badRequestPrefix, updateAppStatus } from "../apps/app-status-rpc.ts";
import { boundedParser } from "../calls/limits.ts";
import type { RpcCaller } from "../calls/rpc-caller.ts";
import { reportConnection } from "../connections/connection-rpc.ts";
import {
  gatherLifecycles,
  type LifecycleNeeds,
  updateLifecycle,
} from "../lifecycle/lifecycle-rpc.ts";
import { scriptCompleted } from "../lifecycle/script-timing-rpc.ts";
import { gatherStartups, type StartupNeeds, updateStartup } from "../lifecycle/startup-rpc.ts";
import { reportBoundaryLogs } from "../logs/boundary-log-rpc.ts";
import { batchCreateLogs, parseLogRequest } from "../logs/log-rpc.ts";
import type { LogNeeds } from "../logs/log-store.ts";
import { announcementBanners, type BannerNeeds, serviceBanner } from "../manifest/banner-rpc.ts";
import { streamDerpMaps } from "../manifest/derp-map.ts";
import { gatherManifests, getManifest, type ManifestNeeds } from "../manifest/manifest-rpc.ts";
import { batchUpdateMetadata, type MetadataNeeds } from "../metadata/metadata-rpc.ts";
import {
  gatherMonitors,
  monitoringConfiguration,
  pushMonitoringUsage,
  type ResourceMonitorNeeds,
} from "../stats/resource-monitoring-rpc.ts";
import { type StatsNeeds, updateStats } from "../stats/stats-rpc.ts";
import {
  createSubAgent,
  deleteSubAgent,
  listSubAgents,
  type SubAgentNeeds,
} from "../sub-agents/sub-agent-rpc.ts";

/** The needs of all handlers; each handler takes a few of them. */
export type HandlerNeeds = LogNeeds &
  Omit<ManifestNeeds, keyof SharedStatements> &
  MetadataNeeds &
  StatsNeeds &
  SubAgentNeeds &
  BannerNeeds &
  CoordinateNeeds;

/** The lookups and writes that the sessions of this replica share. */
type SharedStatements = Pick<ManifestNeeds, "manifests"> &
  Pick<ResourceMonitorNeeds, "monitors"> &
  Pick<StartupNeeds, "startups"> &
  Pick<LifecycleNeeds, "lifecycles">;

interface CoordinateNeeds {
  /** Serves an agent as a peer of the network, until the signal or the end of its requests. */
  readonly coordinate: (
    caller: RpcCaller,
    requests: AsyncIterable<CoordinateRequest>,
    signal: AbortSignal,
  ) => AsyncIterable<MessageInitShape<typeof CoordinateResponseSchema>>;
}

const { method: own } = Agent;
const { method: network } = Tailnet;

/**
 * Returns the RPCs that agents may call (docs/protocol/rpc.md §6 and §7), with the parsers of their requests, for all
 * sessions. Other RPCs are answered with code 12: PushContextState, which stock agents then stop using,
 * RefreshResumeToken and WorkspaceUpdates.
 */
export function agentRpcs(given: HandlerNeeds): RpcTable<RpcCaller> {
  const { db, clock } = given;
  const needs = {
    ...given,
    manifests: gatherManifests(db),
    monitors: gatherMonitors(db),
    startups: gatherStartups(db, clock),
    lifecycles: gatherLifecycles(db, clock),
  };
  const bounded = <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    answer: Handler<I, O>,
    refusalPrefix = "",
  ): RpcEntry<RpcCaller> =>
    unary(method, boundedParser(method.input, refusalPrefix), (caller: RpcCaller, request) =>
      answer(needs, caller, request),
    );
  return new Map([
    bounded(own.getManifest, getManifest),
    bounded(own.updateStartup, updateStartup),
    bounded(own.updateLifecycle, updateLifecycle),
    bounded(own.updateStats, updateStats),
    bounded(own.batchUpdateAppHealths, updateAppHealths),
    bounded(own.batchUpdateMetadata, batchUpdateMetadata),
    unary(own.batchCreateLogs, parseLogRequest, (caller: RpcCaller, request) =>
      batchCreateLogs(needs, caller, request),
    ),
    bounded(own.getAnnouncementBanners, announcementBanners),
    bounded(own.getServiceBanner, serviceBanner),
    bounded(own.scriptCompleted, scriptCompleted),
    bounded(own.getResourcesMonitoringConfiguration, monitoringConfiguration),
    bounded(own.pushResourcesMonitoringUsage, pushMonitoringUsage),
    bounded(own.reportConnection, reportConnection),
    bounded(own.updateAppStatus, updateAppStatus, badRequestPrefix),
    bounded(own.reportBoundaryLogs, (_, caller, request) => reportBoundaryLogs(caller, request)),
    bounded(own.createSubAgent, createSubAgent),
    bounded(own.deleteSubAgent, deleteSubAgent),
    bounded(own.listSubAgents, listSubAgents),
    serverStream(
      network.streamDERPMaps,
      boundedParser(network.streamDERPMaps.input),
      (_, __, signal) => streamDerpMaps(needs.readDerpMap, signal),
    ),
    duplex(network.coordinate, boundedParser(network.coordinate.input), needs.coordinate),
    // An empty answer without storage conforms (docs/protocol/rpc.md §6.6); the request is not read.
    unary(
      network.postTelemetry,
      () => undefined,
      async () => ({}),
    ),
  ]);
}

type Handler<I extends DescMessage, O extends DescMessage> = (
  needs: HandlerNeeds & SharedStatements,
  caller: RpcCaller,
  request: MessageShape<I>,
) => Promise<MessageInitShape<O>>;
