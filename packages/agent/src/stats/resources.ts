import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";

import type { Clock } from "@slipway/runtime";

/** The usage, in bytes. */
export interface Usage {
  readonly used: number;
  readonly total: number;
}

/** The resources that the server wants the agent to monitor (docs/protocol/rpc.md §7.10). */
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
  /** Reports to the server, and handles its own failures. */
  readonly push: (window: readonly Datapoint[], signal: AbortSignal) => Promise<void>;
}

/** The maximum number of datapoints of a report, regardless of the server's request. */
const maxDatapoints = 1000;

/** Measures at each interval and pushes the window whenever it is full. Rejects with the signal's reason. */
export async function monitorResources(
  config: MonitorConfig,
  host: MonitorHost,
  signal: AbortSignal,
): Promise<void> {
  const size = Math.min(config.datapoints, maxDatapoints);
  // Invalid (docs/protocol/rpc.md §7.10), and would spin.
  if (size <= 0 || config.intervalMs <= 0) return;
  // A stock agent pushes empty datapoints, which nothing uses.
  if (!config.watchesMemory && config.volumes.length === 0) return;
  const window: Datapoint[] = [];
  for (;;) {
    await host.clock.sleep(config.intervalMs, signal);
    window.push(await measure(config, host));
    if (window.length > size) window.shift();
    if (window.length === size) await host.push(window, signal);
  }
}

/** Returns the memory of the container if its cgroup has a limit, else of the machine; undefined if neither can be read. */
export async function memoryUsage(root = "/"): Promise<Usage | undefined> {
  const host = await hostMemory(root);
  const group = (await cgroup2Memory(root)) ?? (await cgroup1Memory(root));
  if (group === undefined) return host;
  // A limit above the machine's memory has no effect.
  if (group.total === undefined || (host !== undefined && group.total > host.total)) return host;
  return { used: group.used, total: group.total };
}

/** Returns the usage of the file system that holds the path; undefined if it cannot be read. */
export async function volumeUsage(path: string): Promise<Usage | undefined> {
  try {
    const { blocks, bfree, bsize } = await statfs(path);
    return { used: (blocks - bfree) * bsize, total: blocks * bsize };
  } catch {
    // A volume that is missing in the report counts as unknown (docs/protocol/rpc.md §7.10).
    return undefined;
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

interface GroupMemory {
  readonly used: number;
  readonly total: number | undefined;
}

async function hostMemory(root: string): Promise<Usage | undefined> {
  const text = await readText(join(root, "proc/meminfo"));
  const total = kilobytes(text, "MemTotal");
  const available = kilobytes(text, "MemAvailable");
  if (total === undefined || available === undefined) return undefined;
  return { used: total - available, total };
}

async function cgroup2Memory(root: string): Promise<GroupMemory | undefined> {
  const directory = join(root, "sys/fs/cgroup");
  const current = numberOf(await readText(join(directory, "memory.current")));
  if (current === undefined) return undefined;
  const inactive = statOf(await readText(join(directory, "memory.stat")), "inactive_file");
  return {
    used: current - inactive,
    total: numberOf(await readText(join(directory, "memory.max"))),
  };
}

async function cgroup1Memory(root: string): Promise<GroupMemory | undefined> {
  const directory = join(root, "sys/fs/cgroup/memory");
  const current = numberOf(await readText(join(directory, "memory.usage_in_bytes")));
  if (current === undefined) return undefined;
  const inactive = statOf(await readText(join(directory, "memory.stat")), "total_inactive_file");
  return {
    used: current - inactive,
    total: numberOf(await readText(join(directory, "memory.limit_in_bytes"))),
  };
}

/** Returns undefined for a missing or unreadable file. */
async function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Returns undefined for `max`, too. */
function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

function statOf(text: string | undefined, name: string): number {
  const value = new RegExp(`^${name} (\\d+)$`, "m").exec(text ?? "")?.[1];
  return Number(value ?? 0);
}

function kilobytes(text: string | undefined, name: string): number | undefined {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text ?? "")?.[1];
  return value === undefined ? undefined : Number(value) * 1024;
}
