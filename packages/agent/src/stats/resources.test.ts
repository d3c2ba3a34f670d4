import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { createFakeClock } from "@slipway/testkit";
import { afterAll, describe, expect, it } from "vitest";

import { reportStats } from "./report-stats.ts";
import { memoryUsage, monitorResources, type Datapoint, volumeUsage } from "./resources.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-resources-"));
afterAll(() => rmSync(folder, { recursive: true }));

function machine(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(folder, "root-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const meminfo = "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n";

describe("memoryUsage", () => {
  it("counts the machine where there is no group or no limit", async () => {
    const host = { used: 600 * 1024, total: 1000 * 1024 };
    expect(await memoryUsage(machine({ "proc/meminfo": meminfo }))).toEqual(host);
    const unlimited = {
      "proc/meminfo": meminfo,
      "sys/fs/cgroup/memory.current": "5\n",
      "sys/fs/cgroup/memory.max": "max\n",
    };
    expect(await memoryUsage(machine(unlimited))).toEqual(host);
  });

  it("counts the group without the files it may drop", async () => {
    const root = machine({
      "proc/meminfo": meminfo,
      "sys/fs/cgroup/memory.current": "5000\n",
      "sys/fs/cgroup/memory.max": "8000\n",
      "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 1000\n",
    });
    expect(await memoryUsage(root)).toEqual({ used: 4000, total: 8000 });
  });

  it("reads groups of the first version, too", async () => {
    const base = "sys/fs/cgroup/memory";
    const root = machine({
      "proc/meminfo": meminfo,
      [`${base}/memory.usage_in_bytes`]: "5000\n",
      [`${base}/memory.limit_in_bytes`]: "8000\n",
      [`${base}/memory.stat`]: "inactive_file 7\ntotal_inactive_file 2000\n",
    });
    expect(await memoryUsage(root)).toEqual({ used: 3000, total: 8000 });
  });

  it("knows nothing where nothing can be read", async () => {
    expect(await memoryUsage(machine({}))).toBeUndefined();
  });
});

describe("volumeUsage", () => {
  it("asks the file system, and leaves out what is not there", async () => {
    const usage = await volumeUsage(folder);
    expect(usage?.total).toBeGreaterThan(usage?.used ?? Number.NaN);
    expect(await volumeUsage(join(folder, "absent"))).toBeUndefined();
  });
});

describe("monitorResources", () => {
  it("pushes the whole window at each interval once it is full", async () => {
    const clock = createFakeClock(0);
    const pushed: number[][] = [];
    const end = new AbortController();
    const ended = monitorResources(
      { datapoints: 3, intervalMs: 1_000, watchesMemory: true, volumes: ["/", "/absent"] },
      {
        clock,
        memory: async () => ({ used: 1, total: 2 }),
        volume: async (path) => (path === "/" ? { used: 3, total: 4 } : undefined),
        push: async (window: readonly Datapoint[]) => {
          pushed.push(window.map(({ collectedAtMs }) => collectedAtMs));
          expect(window[0]?.volumes).toEqual([{ path: "/", used: 3, total: 4 }]);
        },
      },
      end.signal,
    );
    await clock.advance(4_000);
    expect(pushed).toEqual([
      [1_000, 2_000, 3_000],
      [2_000, 3_000, 4_000],
    ]);
    end.abort(new Error("done"));
    await expect(ended).rejects.toThrow("done");
  });
});

describe("reportStats", () => {
  it("asks first, then reports at the interval of the last answer", async () => {
    const clock = createFakeClock(0);
    const sent: string[] = [];
    const answers = [30_000, 10_000, 0];
    await Promise.all([
      reportStats(
        async ({ isFirst }) => {
          sent.push(`${isFirst ? "first" : "report"} ${clock.now()}`);
          return answers.shift() ?? 0;
        },
        { clock, signal: new AbortController().signal },
      ),
      clock.advance(100_000),
    ]);
    expect(sent).toEqual(["first 0", "report 30000", "report 40000"]);
  });
});
