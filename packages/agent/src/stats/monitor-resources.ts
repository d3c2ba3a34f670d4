import type { Clock } from "@slipway/runtime";

import type { Usage } from "./memory-usage.ts";

/** The resources that the server wants watched (docs/protocol/rpc.md §7.10). */
export interface MonitorConfig {
  readonly datapoints: number;
  readonly intervalMs: number;
  readonly watchesMemory: boolean;
  readonly volumes: readonly string[];
}

export interface Datapoint {
  readonly collectedAtMs: number;
  readonly memory: Usage | undefined;
  readonly volumes: readonly (Usage & { readonly path: string })[];
}

/** The dependencies of monitoring. */
export interface MonitorHost {
  readonly clock: Clock;
  readonly memory: () => Promise<Usage | undefined>;
  readonly volume: (path: string) => Promise<Usage | undefined>;
  /** Reports to the server; handles its own failures. */
  readonly push: (window: readonly Datapoint[], signal: AbortSignal) => Promise<void>;
}

/** The most datapoints; a server that asks for more gets this many. */
const maxDatapoints = 1000;

/** Measures at each interval and, once the window is full, pushes all of it each time. Ends by the signal. */
export async function monitorResources(
  config: MonitorConfig,
  host: MonitorHost,
  signal: AbortSignal,
): Promise<void> {
  const size = Math.min(config.datapoints, maxDatapoints);
  // Not legal (docs/protocol/rpc.md §7.10), and would spin.
  if (size <= 0 || config.intervalMs <= 0) return;
  // A stock agent pushes even then; nothing uses it.
  if (!config.watchesMemory && config.volumes.length === 0) return;
  const window: Datapoint[] = [];
  for (;;) {
    await host.clock.sleep(config.intervalMs, signal);
    window.push(await measure(config, host));
    if (window.length > size) window.shift();
    if (window.length === size) await host.push(window, signal);
  }
}

async function measure(config: MonitorConfig, host: MonitorHost): Promise<Datapoint> {
  const volumes: (Usage & { readonly path: string })[] = [];
  for (const path of config.volumes) {
    const usage = await host.volume(path);
    if (usage !== undefined) volumes.push({ path, ...usage });
  }
  return {
    collectedAtMs: host.clock.now(),
    memory: config.watchesMemory ? await host.memory() : undefined,
    volumes,
  };
}
