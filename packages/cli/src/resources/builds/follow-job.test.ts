import type { JobLog } from "@slipway/api/jobs/job";
import { expect, it } from "vitest";

import { noColors } from "../../terminal/colors.ts";
import { JobLogLines } from "./follow-job.ts";

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
