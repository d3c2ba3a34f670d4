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
    {
      job_id: "j",
      ...span(1, 2),
      stage: "apply",
      source: "slipway",
      action: "start",
      resource: "box",
    },
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
  const { bars, totalMs } = startTimeline(timings, "main", 10);
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
  expect(startTimeline(empty, "main", 10)).toEqual({ bars: [], totalMs: 0, hiddenSteps: 0 });
});

it("shows the stages of a build, each before its longest steps", () => {
  const step = (
    stage: "plan" | "apply",
    resource: string,
    [from, to]: readonly [number, number],
    action = "create",
  ) => ({
    job_id: "j",
    ...span(from, to),
    stage,
    source: "docker",
    action,
    resource,
  });
  const whole = (stage: "plan" | "apply", times: readonly [number, number]) => ({
    ...step(stage, `coder_stage_${stage}`, times, "terraform"),
    source: "coder",
  });
  const build: BuildTimings = {
    provisioner_timings: [
      whole("plan", [0, 1]),
      whole("apply", [1, 9]),
      step("apply", "docker_volume.home", [1, 2]),
      step("apply", "docker_container.one", [2, 8]),
      step("apply", "docker_container.one", [3, 8], "provision"),
      step("apply", "docker_image.one", [1, 4], "delete"),
    ],
    agent_connection_timings: [],
    agent_script_timings: [],
  };
  const { bars, hiddenSteps } = startTimeline(build, "main", 2);
  expect(bars.map(({ label, kind }) => [label, kind])).toEqual([
    ["Plan", "build"],
    ["Apply", "build"],
    ["docker_image.one (delete)", "step"],
    ["docker_container.one", "step"],
  ]);
  expect(hiddenSteps).toBe(1);
  expect(startTimeline(build, "main", Infinity)).toMatchObject({ hiddenSteps: 0 });
});
