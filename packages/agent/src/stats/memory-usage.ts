import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The usage, in bytes. */
export interface Usage {
  readonly used: number;
  readonly total: number;
}

/**
 * Returns the memory of the container by its cgroup where it has a limit, else of the machine. Undefined where neither
 * can be read.
 */
export async function memoryUsage(root = "/"): Promise<Usage | undefined> {
  const host = await hostMemory(root);
  const group = (await cgroup2Memory(root)) ?? (await cgroup1Memory(root));
  if (group === undefined) return host;
  // A limit beyond the machine's memory is none.
  if (group.total === undefined || (host !== undefined && group.total > host.total)) return host;
  return { used: group.used, total: group.total };
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

/** Returns undefined where the file is missing or out of reach. */
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
