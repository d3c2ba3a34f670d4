import type { WorkspaceBuild } from "@slipway/api/builds/build";
import type { JobLog } from "@slipway/api/jobs/job";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { memoryTerminal } from "../../../tests/support/memory-terminal.ts";
import { sampleBuild } from "../../../tests/support/sample-workspace.ts";
import { noColors } from "../../terminal/colors.ts";
import { Progress } from "../../terminal/progress.ts";
import { followJob, JobLogLines } from "./follow-job.ts";

let nextId = 1;
function entry(stage: string, output: string, log_level: JobLog["log_level"] = "info"): JobLog {
  nextId += 1;
  return {
    id: nextId,
    created_at: "2026-01-01T00:00:00Z",
    log_source: "provisioner",
    log_level,
    stage,
    output,
  };
}

it("prints a headline for each stage, and its output below", () => {
  const lines = new JobLogLines(noColors);
  const entries = [
    entry("Preparing", ""),
    entry("Preparing", "unpacking\n"),
    entry("Starting", "up"),
  ];
  expect(entries.flatMap((each) => lines.next(each))).toEqual([
    "==> Preparing",
    "    unpacking",
    "==> Starting",
    "    up",
  ]);
});

it("remembers which errors it has shown", () => {
  const lines = new JobLogLines(noColors);
  lines.next(entry("Checking", "slipway.yaml:1:2: no", "error"));
  lines.next(entry("Checking", "only said"));
  expect(lines.hasShown("slipway.yaml:1:2: no\n")).toBe(true);
  expect(lines.hasShown("only said")).toBe(false);
  expect(lines.hasShown("slipway.yaml:1:2: no\nslipway.yaml:2:2: neither")).toBe(false);
});

it("looks ever more rarely, at most once a second, whether a job whose log has ended is over", async () => {
  const terminal = memoryTerminal();
  using progress = new Progress(terminal.err, createFakeClock());
  const running: WorkspaceBuild = {
    ...sampleBuild,
    job: { ...sampleBuild.job, status: "running" },
  };
  const builds = Array.from({ length: 6 }, () => running);
  const delays: number[] = [];
  const sleep = async (ms: number): Promise<void> => void delays.push(ms);
  const done = await followJob({
    log: (async function* () {
      yield entry("Starting", "up");
    })(),
    read: async () => builds.shift() ?? sampleBuild,
    lines: new JobLogLines(noColors),
    progress,
    clock: { ...createFakeClock(), sleep },
    signal: new AbortController().signal,
  });
  expect(done).toBe(sampleBuild);
  expect(terminal.errText()).toBe("==> Starting\n    up\n");
  expect(delays).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});
