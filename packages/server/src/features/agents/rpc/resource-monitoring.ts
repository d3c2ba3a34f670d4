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

/** Must both be above 0, or a stock agent crashes (docs/protocol/rpc.md §7.10). */
const datapointsPerWindow = 20;
const collectionIntervalSeconds = 10;

/** After a warning a resource has this long to be quiet. */
const debounceMs = 30 * 60_000;

/** What sessions watch, from the first time on that they ask; most never do. */
const watchesOf = new WeakMap<Needs, readonly Watch[]>();

/** What the agent is to watch: memory and volumes that its template names (docs/protocol/rpc.md §7.10). */
export async function monitoringConfiguration(needs: Needs): Promise<Configuration> {
  return configurationOf((await readWatches(needs)).map(({ monitor }) => monitor));
}

/** Takes what was seen of memory and volumes. How they were is kept with the session. */
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

/** The configuration that an agent with these monitors is given. */
export function configurationOf(monitors: readonly ResourceMonitor[]): Configuration {
  const volumes = monitors.flatMap(({ volume }) => (volume === undefined ? [] : [volume]));
  return {
    config: { numDatapoints: datapointsPerWindow, collectionIntervalSeconds },
    ...(volumes.length < monitors.length ? { memory: { enabled: true } } : {}),
    volumes: volumes.map((path) => ({ enabled: true, path })),
  };
}

/** One resource that is watched, and how it is. */
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
