import { expect, it } from "vitest";

import { maxSteps } from "../stage-timing.ts";
import { StepTimings } from "./step-timings.ts";

function at(ms: number): string {
  // With microseconds, as the program prints them.
  return new Date(Date.UTC(2026, 10, 30) + ms).toISOString().replace("Z", "123Z");
}

interface Fields {
  readonly action?: string;
  readonly provider?: string;
  readonly time?: string;
}

function message(type: string, ms: number, addr: string, fields: Fields = {}): object {
  const { action, provider = "docker", time } = fields;
  const resource = { addr, implied_provider: provider };
  const hook = action === undefined ? { resource } : { resource, action };
  return { type, "@timestamp": time ?? at(ms), hook };
}

function read(messages: readonly object[], redact = (text: string): string => text) {
  const timings = new StepTimings(redact);
  for (const one of messages) timings.add({ ...one });
  return timings.steps.map(({ source, action, resource, startedMs, endedMs }) => ({
    name: [source, action, resource].join(" "),
    from: startedMs - Date.UTC(2026, 10, 30),
    length: endedMs - startedMs,
  }));
}

it("measures changes, reads, refreshes and provisioners, with one entry for each action", () => {
  const replaced = "docker_container.one";
  const steps = read([
    message("refresh_start", 0, "docker_volume.home"),
    message("apply_start", 10, "data.docker_image.base", { action: "read" }),
    message("refresh_complete", 50, "docker_volume.home"),
    message("apply_complete", 400, "data.docker_image.base", { action: "read" }),
    message("apply_start", 500, replaced, { action: "delete" }),
    message("apply_progress", 600, replaced, { action: "delete" }),
    message("apply_complete", 700, replaced, { action: "delete" }),
    message("apply_start", 710, replaced, { action: "create" }),
    message("provision_start", 720, replaced),
    message("provision_errored", 900, replaced),
    message("apply_errored", 910, replaced, { action: "create" }),
    { type: "outputs", "@timestamp": at(1_000) },
  ]);
  expect(steps).toEqual([
    { name: "docker state refresh docker_volume.home", from: 0, length: 50 },
    { name: "docker read data.docker_image.base", from: 10, length: 390 },
    { name: "docker delete docker_container.one", from: 500, length: 200 },
    { name: "docker create docker_container.one", from: 710, length: 200 },
    { name: "docker provision docker_container.one", from: 720, length: 180 },
  ]);
});

it("leaves out a step without a start, an end or a time, and takes a clock that was set back for no time", () => {
  const steps = read([
    message("apply_complete", 100, "a.never_started", { action: "create" }),
    message("apply_start", 100, "a.never_ended", { action: "create" }),
    message("apply_start", 100, "a.timeless", { action: "create", time: "yesterday" }),
    message("apply_complete", 200, "a.timeless", { action: "create" }),
    message("apply_start", 300, "a.backwards", { action: "create" }),
    message("apply_complete", 250, "a.backwards", { action: "create" }),
  ]);
  expect(steps).toEqual([{ name: "docker create a.backwards", from: 250, length: 0 }]);
});

it("keeps the longest of many steps, and forgets starts without an end", () => {
  const messages = Array.from({ length: 2_000 }, (_, index) => {
    const fields = { action: "create" };
    return [
      message("apply_start", 0, `a.open[${index}]`, { action: "update" }),
      message("apply_start", 0, `a.many[${index}]`, fields),
      message("apply_complete", index, `a.many[${index}]`, fields),
    ];
  }).flat();
  const shuffled = [...messages.slice(3_000), ...messages.slice(0, 3_000)];
  const steps = read(shuffled);
  expect(steps).toHaveLength(maxSteps);
  expect(new Set(steps.map(({ length }) => length)).size).toBe(maxSteps);
});

it("hides secrets in the names of resources, and cuts long ones", () => {
  const fields = { action: "create" };
  const steps = read(
    ['a.one["hunter2"]', `a.${"x".repeat(1_000)}`].flatMap((addr) => [
      message("apply_start", 0, addr, fields),
      message("apply_complete", 1, addr, fields),
    ]),
    (text) => text.replaceAll("hunter2", "(hidden)"),
  );
  expect(steps[0]?.name).toBe('docker create a.one["(hidden)"]');
  expect(steps[1]?.name).toHaveLength("docker create ".length + 256);
});
