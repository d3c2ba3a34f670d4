import type {
  GetResourcesMonitoringConfigurationResponseSchema,
  MessageInitShape,
  PushResourcesMonitoringUsageRequest,
  PushResourcesMonitoringUsageRequest_Datapoint as Datapoint,
  PushResourcesMonitoringUsageResponseSchema,
} from "@slipway/wire";

import type { AgentRpcContext } from "./context.ts";
import { evaluateWindow, type MonitorState, type Sample, sampleOf } from "./monitor-window.ts";
import { selectResourceMonitors } from "./queries.ts";
import { notLive } from "./require-live.ts";
import { readMonitors, type ResourceMonitor } from "./resource-monitors.ts";

type Needs = Pick<AgentRpcContext, "db" | "clock" | "logger" | "agent">;
type Configuration = MessageInitShape<typeof GetResourcesMonitoringConfigurationResponseSchema>;
type Pushed = MessageInitShape<typeof PushResourcesMonitoringUsageResponseSchema>;

/** Both must be above 0, or a stock agent crashes (docs/protocol/rpc.md §7.10). */
const datapointsPerWindow = 20;
const collectionIntervalSeconds = 10;

/** The quiet time of a resource after a warning, in milliseconds. */
const debounceMs = 30 * 60_000;

/** The watches of sessions, created when they first ask; most never do. */
const watchesOf = new WeakMap<Needs, readonly Watch[]>();

/**
 * Returns the memory and volumes that the agent should watch, as its template names them (docs/protocol/rpc.md §7.10).
 */
export async function monitoringConfiguration(needs: Needs): Promise<Configuration> {
  return configurationOf((await readWatches(needs)).map(({ monitor }) => monitor));
}

/** Takes the measured usage of memory and volumes. Their state is kept with the session. */
export async function pushMonitoringUsage(
  needs: Needs,
  { datapoints }: PushResourcesMonitoringUsageRequest,
): Promise<Pushed> {
  for (const watch of watchesOf.get(needs) ?? (await readWatches(needs))) watch.take(datapoints);
  return {};
}

async function readWatches(needs: Needs): Promise<readonly Watch[]> {
  const row = await selectResourceMonitors(needs.db, needs.agent.agentId);
  if (row === undefined) throw notLive();
  const known = watchesOf.get(needs);
  if (known !== undefined) return known;
  const made = readMonitors(row.resource_monitors).map((monitor) => new Watch(monitor, needs));
  watchesOf.set(needs, made);
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
  readonly #needs: Needs;
  #state: MonitorState = "ok";
  #quietUntil = -Infinity;

  constructor(monitor: ResourceMonitor, needs: Needs) {
    this.monitor = monitor;
    this.#needs = needs;
  }

  take(datapoints: readonly Datapoint[]): void {
    const { volume, threshold } = this.monitor;
    const before = this.#state;
    this.#state = evaluateWindow(
      datapoints.map((datapoint) => this.#sample(datapoint)),
      before,
    );
    const now = this.#needs.clock.monotonic();
    if (before === "nok" || this.#state === "ok" || now < this.#quietUntil) return;
    this.#quietUntil = now + debounceMs;
    const fields = { resource: volume === undefined ? "memory" : "volume", volume, threshold };
    this.#needs.logger.warn(fields, "resource runs out");
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
