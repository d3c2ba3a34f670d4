import type { Clock } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  GetResourcesMonitoringConfigurationResponseSchema,
  PushResourcesMonitoringUsageRequest,
  PushResourcesMonitoringUsageRequest_Datapoint as Datapoint,
  PushResourcesMonitoringUsageResponseSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { type Selectable, sql } from "kysely";

import type { Database, Queryable } from "../../../platform/db/database.ts";
import { GatheredLookups } from "../../../platform/db/gathered-lookups.ts";
import type { DB } from "../../../platform/db/gen/schema.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { notLive, type RpcCaller } from "../calls/rpc-caller.ts";
import { isLiveAgent } from "../live-queries.ts";
import { evaluateWindow, type MonitorState, type Sample, sampleOf } from "./monitor-window.ts";

export interface ResourceMonitorNeeds {
  /** The monitors of live agents, by the agent's id. */
  readonly monitors: GatheredLookups<MonitorsRow>;
  readonly clock: Clock;
}

type Caller = Pick<RpcCaller, "agent" | "logger">;
type Configuration = MessageInitShape<typeof GetResourcesMonitoringConfigurationResponseSchema>;
type PushedUsage = MessageInitShape<typeof PushResourcesMonitoringUsageResponseSchema>;

/**
 * The size of a window, and the interval of its samples; with a 0, a stock agent crashes
 * (docs/protocol/rpc.md §7.10).
 */
const datapointsPerWindow = 20;
const collectionIntervalSeconds = 10;

/** The quiet time of a resource after a warning, in milliseconds. */
const debounceMs = 30 * 60_000;

/** The watches of sessions, created at their first request; most never make one. */
const watchesOf = new WeakMap<Caller, readonly Watch[]>();

/**
 * Returns the memory and volumes that the agent should watch, as its template names them (docs/protocol/rpc.md §7.10).
 */
export async function monitoringConfiguration(
  needs: ResourceMonitorNeeds,
  caller: Caller,
): Promise<Configuration> {
  return configurationOf((await readWatches(needs, caller)).map(({ monitor }) => monitor));
}

/** Evaluates the measured usage of memory and volumes. Their state is kept with the session. */
export async function pushMonitoringUsage(
  needs: ResourceMonitorNeeds,
  caller: Caller,
  { datapoints }: PushResourcesMonitoringUsageRequest,
): Promise<PushedUsage> {
  const watches = watchesOf.get(caller) ?? (await readWatches(needs, caller));
  for (const watch of watches) watch.take(datapoints);
  return {};
}

async function readWatches(
  { monitors, clock }: ResourceMonitorNeeds,
  caller: Caller,
): Promise<readonly Watch[]> {
  const row = await monitors.look(caller.agent.agentId);
  if (row === undefined) throw notLive();
  const known = watchesOf.get(caller);
  if (known !== undefined) return known;
  const created = readMonitors(row.resource_monitors).map(
    (monitor) => new Watch(monitor, clock, caller),
  );
  watchesOf.set(caller, created);
  return created;
}

/** Gathers the lookups of all agents into shared statements. */
export function gatherMonitors(db: Database): GatheredLookups<MonitorsRow> {
  return new GatheredLookups((agentIds) => selectResourceMonitors(db, agentIds));
}

/** Returns the configuration for an agent with these monitors. */
export function configurationOf(monitors: readonly ResourceMonitor[]): Configuration {
  const volumes = monitors.flatMap(({ volume }) => (volume === undefined ? [] : [volume]));
  return {
    config: { numDatapoints: datapointsPerWindow, collectionIntervalSeconds },
    ...(volumes.length < monitors.length ? { memory: { enabled: true } } : {}),
    volumes: volumes.map((path) => ({ enabled: true, path })),
  };
}

/** One watched resource, and its state. */
class Watch {
  readonly monitor: ResourceMonitor;
  readonly #clock: Clock;
  readonly #caller: Caller;
  #state: MonitorState = "ok";
  #quietUntil = -Infinity;

  constructor(monitor: ResourceMonitor, clock: Clock, caller: Caller) {
    this.monitor = monitor;
    this.#clock = clock;
    this.#caller = caller;
  }

  take(datapoints: readonly Datapoint[]): void {
    const { volume, threshold } = this.monitor;
    const before = this.#state;
    this.#state = evaluateWindow(
      datapoints.map((datapoint) => this.#sample(datapoint)),
      before,
    );
    const now = this.#clock.monotonic();
    if (before === "nok" || this.#state === "ok" || now < this.#quietUntil) return;
    this.#quietUntil = now + debounceMs;
    const fields = { resource: volume === undefined ? "memory" : "volume", volume, threshold };
    this.#caller.logger.warn(fields, "resource running low");
  }

  #sample(datapoint: Datapoint): Sample {
    const { volume, threshold } = this.monitor;
    const usage =
      volume === undefined
        ? datapoint.memory
        : datapoint.volumes.find((candidate) => candidate.volume === volume);
    return sampleOf(usage, threshold);
  }
}

/** One watched resource, with the usage in percent from which to warn. */
export interface ResourceMonitor {
  /** Undefined: memory. */
  readonly volume: string | undefined;
  readonly threshold: number;
}

/** Reads the monitors in an agent's row; skips malformed ones. */
export function readMonitors(json: unknown): readonly ResourceMonitor[] {
  if (!isObject(json)) return [];
  const memory = json["memoryThreshold"];
  const volumes = json["volumes"];
  return [
    ...(typeof memory === "number" ? [{ volume: undefined, threshold: memory }] : []),
    ...(Array.isArray(volumes) ? volumes : []).flatMap(readVolume),
  ];
}

function readVolume(json: unknown): readonly ResourceMonitor[] {
  if (!isObject(json)) return [];
  const { path, threshold } = json;
  if (typeof path !== "string" || typeof threshold !== "number") return [];
  return [{ volume: path, threshold }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The monitors that the build gave an agent, as JSON. */
type MonitorsRow = Pick<Selectable<DB["workspace_agents"]>, "id" | "resource_monitors">;

/** Selects the monitors of live agents by the agent's id. */
async function selectResourceMonitors(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, MonitorsRow>> {
  const rows = await monitorRows(db, agentIds);
  return new Map(rows.map((row) => [row.id, row]));
}

const monitorRows = prepareQuery((db, agentIds: readonly string[]) =>
  db
    .selectFrom("workspace_agents as agent")
    .where("agent.id", "=", sql<string>`any(${agentIds}::uuid[])`)
    .where(isLiveAgent(sql.ref("agent.id")))
    .select(["agent.id", "agent.resource_monitors"]),
);
