import { duplex, type RpcEntry, type RpcTable, serverStream, unary } from "@slipway/rpc";
import {
  Agent,
  type CoordinateRequest,
  type CoordinateResponseSchema,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  Tailnet,
} from "@slipway/wire";

import { GatheredLookups } from "../../../platform/db/gathered-lookups.ts";
import { GatheredWrites } from "../../../platform/db/gathered-writes.ts";
import { updateAppHealths } from "./app-health.ts";
import { badRequestPrefix, updateAppStatus } from "./app-status.ts";
import { announcementBanners, type BannerNeeds, serviceBanner } from "./banners.ts";
import { reportBoundaryLogs } from "./boundary-logs.ts";
import { boundedParser } from "./bounded.ts";
import { reportConnection } from "./connections.ts";
import { streamDerpMaps } from "./derp-maps.ts";
import {
  type LifecycleEffect,
  type LifecycleReport,
  updateLifecycles,
} from "./lifecycle-queries.ts";
import { type LifecycleNeeds, updateLifecycle } from "./lifecycle.ts";
import { batchCreateLogs, type LogNeeds, parseLogRequest } from "./logs.ts";
import { selectManifests } from "./manifest-queries.ts";
import { getManifest, type ManifestNeeds } from "./manifest.ts";
import { batchUpdateMetadata, type MetadataNeeds } from "./metadata.ts";
import { selectResourceMonitors, type StartupOfAgent, updateStartups } from "./queries.ts";
import {
  monitoringConfiguration,
  type MonitorNeeds,
  pushMonitoringUsage,
} from "./resource-monitoring.ts";
import type { RpcCaller } from "./rpc-caller.ts";
import { scriptCompleted } from "./script-timing.ts";
import { type StartupNeeds, updateStartup } from "./startup.ts";
import { type StatsNeeds, updateStats } from "./stats.ts";
import { createSubAgent, deleteSubAgent, listSubAgents, type SubAgentNeeds } from "./sub-agents.ts";

/** The needs of all handlers, each of which takes its own few. */
export type HandlerNeeds = LogNeeds &
  Omit<ManifestNeeds, keyof Shared> &
  MetadataNeeds &
  StatsNeeds &
  SubAgentNeeds &
  BannerNeeds &
  CoordinateNeeds;

/** The lookups and writes that the sessions of this replica share. */
type Shared = Pick<ManifestNeeds, "manifests"> &
  Pick<MonitorNeeds, "monitors"> &
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
 * Returns the RPCs that agents may call (docs/protocol/rpc.md §6 and §7), with the parsers of their requests; created
 * once for all sessions. Others are answered with code 12: PushContextState, which a stock agent then stops using,
 * RefreshResumeToken and WorkspaceUpdates.
 */
export function agentRpcs(given: HandlerNeeds): RpcTable<RpcCaller> {
  const { db, clock } = given;
  const keyOf = ({ agentId }: { readonly agentId: string }): string => agentId;
  const needs = {
    ...given,
    manifests: new GatheredLookups((ids) => selectManifests(db, ids)),
    monitors: new GatheredLookups((ids) => selectResourceMonitors(db, ids)),
    startups: new GatheredWrites<StartupOfAgent, true>({
      keyOf,
      clock,
      writeAll: (all) => updateStartups(db, all),
    }),
    lifecycles: new GatheredWrites<LifecycleReport, LifecycleEffect>({
      keyOf,
      clock,
      writeAll: (all) => updateLifecycles(db, all),
    }),
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
  needs: HandlerNeeds & Shared,
  caller: RpcCaller,
  request: MessageShape<I>,
) => Promise<MessageInitShape<O>>;
