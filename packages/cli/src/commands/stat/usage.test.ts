import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Clock } from "@slipway/runtime";
import { afterAll, expect, it } from "vitest";

import { containerCpu, containerMemory, disk, hostCpu, hostMemory } from "./usage.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-stat-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function machine(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(folder, "root-"));
  write(root, files);
  return root;
}

/** While it sleeps, `change` happens and a tenth of a second passes. */
function needs(change: () => void): { readonly clock: Clock; readonly signal: AbortSignal } {
  let time = 0;
  const clock: Clock = {
    now: () => time,
    monotonic: () => time,
    sleep: (ms) => {
      change();
      time += ms;
      return Promise.resolve();
    },
  };
  return { clock, signal: new AbortController().signal };
}

const group = "sys/fs/cgroup/kubepods/pod";
const version2 = {
  "proc/1/cgroup": "0::/kubepods/pod\n",
  "proc/self/cgroup": "0::/kubepods/pod\n",
  "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
  "sys/fs/cgroup/kubepods/cpu.max": "150000 100000\n",
  "sys/fs/cgroup/kubepods/memory.max": "8000\n",
  [`${group}/cpu.max`]: "max 100000\n",
  [`${group}/cpu.stat`]: "usage_usec 1000000\nuser_usec 1\n",
  [`${group}/memory.current`]: "5000\n",
  [`${group}/memory.max`]: "max\n",
  [`${group}/memory.stat`]: "anon 1\ninactive_file 1000\n",
};
const version1 = {
  "proc/1/cgroup": "4:memory:/docker/abc\n",
  "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n",
  "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
  "sys/fs/cgroup/cpuacct/cpuacct.usage": "1000000000\n",
  "sys/fs/cgroup/memory/memory.usage_in_bytes": "5000\n",
  "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
  "sys/fs/cgroup/memory/memory.stat": "inactive_file 7\ntotal_inactive_file 2000\n",
};

it("reads a control group of version 2, with the limits above it", async () => {
  const root = machine(version2);
  expect(await containerMemory(root)).toEqual({ total: 8000, unit: "B", used: 4000 });
  const spend = () => write(root, { [`${group}/cpu.stat`]: "usage_usec 1050000\n" });
  expect(await containerCpu(root, needs(spend))).toEqual({
    total: 1.5,
    unit: "cores",
    used: 0.5,
  });
});

it("reads the group at the top if its own is not visible", async () => {
  const root = machine({
    "sys/fs/cgroup/cgroup.controllers": "",
    "sys/fs/cgroup/cgroup.type": "domain\n",
    "proc/self/cgroup": "0::/../../other\n",
    "sys/fs/cgroup/memory.current": "10\n",
    "sys/fs/cgroup/memory.max": "max\n",
  });
  expect(await containerMemory(root)).toEqual({ total: null, unit: "B", used: 10 });
});

it("reads control groups of version 1, whose largest limit means none", async () => {
  const root = machine(version1);
  expect(await containerMemory(root)).toEqual({ total: null, unit: "B", used: 3000 });
  const spend = () => write(root, { "sys/fs/cgroup/cpuacct/cpuacct.usage": "1200000000\n" });
  expect(await containerCpu(root, needs(spend))).toEqual({ total: 2, unit: "cores", used: 2 });
});

it("recognizes a machine that is not a container", async () => {
  const root = machine({ ...version2, "proc/1/cgroup": "0::/\n" });
  expect(await containerMemory(root)).toBeNull();
  expect(
    await containerCpu(
      root,
      needs(() => undefined),
    ),
  ).toBeNull();
});

it("reports no usage of a container whose group cannot be read", async () => {
  const root = machine({ "proc/1/cgroup": "1:cpu:/docker/x\n" });
  expect(await containerMemory(root)).toBeNull();
  expect(
    await containerCpu(
      root,
      needs(() => undefined),
    ),
  ).toBeNull();
});

it("measures this machine", async () => {
  const { used, total } = hostMemory();
  expect(used).toBeGreaterThan(0);
  expect(used).toBeLessThan(total ?? 0);
  const cpu = await hostCpu(needs(() => undefined));
  expect(cpu.used).toBeLessThanOrEqual(cpu.total ?? 0);
  const { used: usedDisk, total: totalDisk } = await disk(folder);
  expect(usedDisk).toBeLessThanOrEqual(totalDisk ?? 0);
  await expect(disk(join(folder, "none"))).rejects.toMatchObject({ exitCode: 4 });
});
