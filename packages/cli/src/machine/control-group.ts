import { join } from "node:path";

import { exists, readField, readNumber, readText } from "./files.ts";

/** The kernel's counters for the processes of a container, in files of version 1 or 2 of control groups. */
export interface ControlGroup {
  /** Processor time so far, in microseconds. */
  readonly cpuTimeUs: () => Promise<number | undefined>;
  /** Undefined where there is no limit. */
  readonly cores: () => Promise<number | undefined>;
  /** Bytes, without cache that can be read from files again. */
  readonly memory: () => Promise<number | undefined>;
  readonly maxMemory: () => Promise<number | undefined>;
}

/** A limit as large as this is none: version 1 reports the largest possible number of pages. */
const unlimitedBytes = 2 ** 60;

/** Opens the control group of this process. `root` is `/`. */
export async function openControlGroup(root: string): Promise<ControlGroup> {
  const top = join(root, "sys/fs/cgroup");
  if (!(await exists(join(top, "cgroup.controllers")))) return version1(top);
  return version2(await ownGroups(root, top));
}

/** Lists the group of this process and those above it, the nearest first; only the top one if the own is not visible. */
async function ownGroups(root: string, top: string): Promise<string[]> {
  const text = (await readText(join(root, "proc/self/cgroup"))) ?? "";
  const names = (/^0::(\S*)$/m.exec(text)?.[1] ?? "/").split("/").filter((name) => name !== "");
  const own = join(top, ...names);
  if (names.includes("..") || !(await exists(own))) return [top];
  return [...names.keys()]
    .map((above) => join(top, ...names.slice(0, names.length - above)))
    .concat(top);
}

function version2(groups: readonly string[]): ControlGroup {
  const [own = ""] = groups;
  return {
    cpuTimeUs: () => readField(join(own, "cpu.stat"), "usage_usec"),
    cores: () =>
      smallest(groups, async (group) => {
        const [quota, period] = ((await readText(join(group, "cpu.max"))) ?? "").split(/\s+/);
        return quota === undefined ? undefined : ratio(Number(quota), Number(period));
      }),
    memory: async () => {
      const used = await readNumber(join(own, "memory.current"));
      return without(used, await readField(join(own, "memory.stat"), "inactive_file"));
    },
    maxMemory: () => smallest(groups, (group) => readNumber(join(group, "memory.max"))),
  };
}

function version1(top: string): ControlGroup {
  const cpu = ["cpu,cpuacct", "cpuacct", "cpu"].map((name) => join(top, name));
  const memory = join(top, "memory");
  return {
    cpuTimeUs: async () => {
      const nanoseconds = await smallest(cpu, (group) => readNumber(join(group, "cpuacct.usage")));
      return nanoseconds === undefined ? undefined : nanoseconds / 1000;
    },
    cores: () =>
      smallest(cpu, async (group) =>
        ratio(
          await readNumber(join(group, "cpu.cfs_quota_us")),
          await readNumber(join(group, "cpu.cfs_period_us")),
        ),
      ),
    memory: async () => {
      const used = await readNumber(join(memory, "memory.usage_in_bytes"));
      return without(used, await readField(join(memory, "memory.stat"), "total_inactive_file"));
    },
    maxMemory: async () => {
      const limit = await readNumber(join(memory, "memory.limit_in_bytes"));
      return limit === undefined || limit >= unlimitedBytes ? undefined : limit;
    },
  };
}

/** Returns the effective limit, which is the smallest of all. */
async function smallest(
  groups: readonly string[],
  read: (group: string) => Promise<number | undefined>,
): Promise<number | undefined> {
  const found = (await Promise.all(groups.map(read))).filter((value) => value !== undefined);
  return found.length === 0 ? undefined : Math.min(...found);
}

/** Returns undefined for anything but a number, as in `max 100000`. */
function ratio(quota: number | undefined, period: number | undefined): number | undefined {
  if (quota === undefined || period === undefined || !(period > 0)) return undefined;
  return Number.isNaN(quota) ? undefined : quota / period;
}

function without(used: number | undefined, part: number | undefined): number | undefined {
  return used === undefined ? undefined : Math.max(0, used - (part ?? 0));
}
