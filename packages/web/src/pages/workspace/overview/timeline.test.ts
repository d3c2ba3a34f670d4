import type { BuildTimings } from "@slipway/api/builds/timings";
import { expect, it } from "vitest";

import { startTimeline } from "./timeline.ts";

const at = (second: number): string => `2026-11-30T12:00:0${second}.000Z`;
const span = (from: number, to: number) => ({ started_at: at(from), ended_at: at(to) });
const script = (display_name: string, changes: object = {}) => ({
  ...span(4, 6),
  exit_code: 0,
  stage: "start" as const,
  status: "ok" as const,
  display_name,
  workspace_agent_id: "main",
  workspace_agent_name: "main",
  ...changes,
});

const timings: BuildTimings = {
  provisioner_timings: [
    { job_id: "j", ...span(1, 2), stage: "apply", source: "", action: "", resource: "box" },
  ],
  agent_connection_timings: [
    { ...span(2, 4), stage: "connect", workspace_agent_id: "main", workspace_agent_name: "main" },
  ],
  agent_script_timings: [
    script("Broken", { ...span(5, 9), status: "exit_failure" }),
    script("Prepare"),
    script("Prepare", span(8, 9)),
    script("Nightly", { stage: "cron" }),
    script("Elsewhere", { workspace_agent_id: "other" }),
  ],
};

it("places the parts of one agent's start in their order", () => {
  const { bars, totalMs } = startTimeline(timings, "main");
  expect(bars.map(({ label, startMs, lengthMs }) => [label, startMs, lengthMs])).toEqual([
    ["Create box", 0, 1000],
    ["Agent connects", 1000, 2000],
    ["Prepare", 3000, 2000],
    ["Broken", 4000, 4000],
  ]);
  expect(totalMs).toBe(8000);
  expect(bars.at(-1)).toMatchObject({ kind: "script", hasFailed: true });
});

it("is empty without timings", () => {
  const empty = { provisioner_timings: [], agent_connection_timings: [], agent_script_timings: [] };
  expect(startTimeline(empty, "main")).toEqual({ bars: [], totalMs: 0 });
});
