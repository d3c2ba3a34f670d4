import type { Clock } from "@slipway/runtime";
import type {
  GetResourcesMonitoringConfigurationResponseSchema,
  MessageInitShape,
  PushResourcesMonitoringUsageRequest,
  PushResourcesMonitoringUsageRequest_Datapoint as Datapoint,
  PushResourcesMonitoringUsageResponseSchema,
} from "@slipway/wire";

import type { GatheredLookups } from "../../../platform/db/gathered-lookups.ts";
import { evaluateWindow, type MonitorState, type Sample, sampleOf } from "./monitor-window.ts";
import type { MonitorsRow } from "./queries.ts";
import { notLive } from "./require-live.ts";
import { readMonitors, type ResourceMonitor } from "./resource-monitors.ts";
import type { RpcCaller } from "./rpc-caller.ts";

export interface MonitorNeeds {
  /** The monitors of live agents, by the agent's id. */
  readonly monitors: GatheredLookups<MonitorsRow>;
  readonly clock: Clock;
}

type Caller = Pick<RpcCaller, "agent" | "logger">;
type Configuration = MessageInitShape<typeof GetResourcesMonitoringConfigurationResponseSchema>;
type Pushed = MessageInitShape<typeof PushResourcesMonitoringUsageResponseSchema>;

/** Both must be above 0, or a stock agent crashes (docs/protocol/rpc.md §7.10). */
const datapointsPerWindow = 20;
const collectionIntervalSeconds = 10;

/** The quiet time of a resource after a warning, in milliseconds. */
const debounceMs = 30 * 60_000;

/** The watches of sessions, created when they first ask; most never do. */
const watchesOf = new WeakMap<Caller, readonly Watch[]>();

/**
 * Returns the memory and volumes that the agent should watch, as its template names them (docs/protocol/rpc.md §7.10).
 */
export async function monitoringConfiguration(
  needs: MonitorNeeds,
  caller: Caller,
): Promise<Configuration> {
  return configurationOf((await readWatches(needs, caller)).map(({ monitor }) => monitor));
}

/** Takes the measured usage of memory and volumes. Their state is kept with the session. */
export async function pushMonitoringUsage(
  needs: MonitorNeeds,
  caller: Caller,
  { datapoints }: PushResourcesMonitoringUsageRequest,
): Promise<Pushed> {
  const watches = watchesOf.get(caller) ?? (await readWatches(needs, caller));
  for (const watch of watches) watch.take(datapoints);
  return {};
}

async function readWatches(
  { monitors, clock }: MonitorNeeds,
  caller: Caller,
): Promise<readonly Watch[]> {
  const row = await monitors.look(caller.agent.agentId);
  if (row === undefined) throw notLive();
  const known = watchesOf.get(caller);
  if (known !== undefined) return known;
  const made = readMonitors(row.resource_monitors).map(
    (monitor) => new Watch(monitor, clock, caller),
  );
  watchesOf.set(caller, made);
  return made;
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
    this.#caller.logger.warn(fields, "resource runs out");
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
