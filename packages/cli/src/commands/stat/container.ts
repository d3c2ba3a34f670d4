import { access, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Names that container runtimes give to the control group of a container's first process. */
const containerGroup = /docker|\.slice|lxc|kubepods/;

/** Files that exist only inside containers. */
const signs = [
  "var/run/secrets/kubernetes.io/serviceaccount/token",
  // The root group of a whole machine has no type.
  "sys/fs/cgroup/cgroup.type",
] as const;

/** Returns whether the processes here share the machine with others (docs/protocol/agent.md §9.5). */
export async function isContainer(root: string): Promise<boolean> {
  if (containerGroup.test((await readText(join(root, "proc/1/cgroup"))) ?? "")) return true;
  if (/ sysboxfs /.test((await readText(join(root, "proc/mounts"))) ?? "")) return true;
  const found = await Promise.all(signs.map((path) => exists(join(root, path))));
  return found.includes(true);
}

/** The kernel's counters for the processes of a container, in files of version 1 or 2 of control groups. */
interface ControlGroup {
  /** Processor time so far, in microseconds. */
  readonly cpuTimeUs: () => Promise<number | undefined>;
  /** Undefined without a limit. */
  readonly cores: () => Promise<number | undefined>;
  /** Bytes, excluding cache that can be read from files again. */
  readonly memory: () => Promise<number | undefined>;
  readonly maxMemory: () => Promise<number | undefined>;
}

/** A limit of this size means none: version 1 reports the largest possible number of pages. */
const unlimitedBytes = 2 ** 60;

/** Opens the control group of this process. `root` is `/`. */
export async function openControlGroup(root: string): Promise<ControlGroup> {
  const top = join(root, "sys/fs/cgroup");
  if (!(await exists(join(top, "cgroup.controllers")))) return version1(top);
  return version2(await ownGroups(root, top));
}

/**
 * Lists the group of this process and its ancestors, nearest first; only the top one if the process's own group is
 * not visible.
 */
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

/** Returns the effective limit: the smallest of all. */
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

/** Reads the text of a file; undefined if it is missing or inaccessible. */
function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Reads a file that contains a number; undefined for anything else, including `max`. */
async function readNumber(path: string): Promise<number | undefined> {
  const text = (await readText(path))?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Reads the number after a name, in a file of `name number` lines. */
async function readField(path: string, name: string): Promise<number | undefined> {
  const line = (await readText(path))?.split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
