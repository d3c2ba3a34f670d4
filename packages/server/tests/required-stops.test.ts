import type { Weekday } from "@slipway/api/templates/template";
import { weekdays } from "@slipway/api/templates/template";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { requireStops } from "../src/features/builds/deadline-service.ts";
import { nextRequiredStop } from "../src/features/schedules/required-stop.ts";
import { ScheduleWorld } from "./support/schedule-world.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let world: ScheduleWorld;

beforeAll(async () => {
  world = await ScheduleWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.edit({ autostop_requirement: { days_of_week: [], weeks: 1 }, default_ttl_ms: 0 });
});

/** A weekday whose midnight is three or four days ahead, and the following one. */
function daysAhead(): { readonly first: Weekday; readonly second: Weekday } {
  const index = (new Date().getUTCDay() + 6 + 4) % 7;
  return { first: weekdays[index] ?? "monday", second: weekdays[(index + 1) % 7] ?? "monday" };
}

/** Returns the deadline of a workspace's newest build, and the time at which it must stop. */
async function stopsOf(workspace: Workspace): Promise<readonly (number | undefined)[]> {
  const { deadline, max_deadline: max } = (await world.read(workspace)).latest_build;
  return [deadline, max].map((time) => (time === null ? undefined : Date.parse(time)));
}

async function maxDeadline(workspace: Workspace): Promise<number | undefined> {
  return (await stopsOf(workspace))[1];
}

describe("a template that requires stops", () => {
  it("stops workspaces in their night, once, whoever looks, and again after the next start", async () => {
    const { first } = daysAhead();
    const workspace = await world.make("nightly");
    await world.edit({ autostop_requirement: { days_of_week: [first], weeks: 1 } });
    const now = Date.now();
    const night = nextRequiredStop({ days: [first], weeks: 1 }, now) ?? 0;
    expect(await world.apply(now)).toBe(0);
    expect(await stopsOf(workspace)).toEqual([night, night]);
    expect(await world.apply(night - 1_000)).toBe(0);
    const [one, two] = await Promise.all([world.apply(night), world.apply(night)]);
    expect(one + two).toBe(1);
    const stopped = await world.settled(workspace, 2);
    expect(stopped.latest_build).toMatchObject({
      transition: "stop",
      reason: "autostop",
      max_deadline: null,
    });
    const started = await world.build(workspace, 3, "start");
    expect(await world.apply(night)).toBe(0);
    expect(await maxDeadline(started)).toBe(night + 7 * dayMs);
    // Weeks went by without a check.
    expect(await world.apply(night + 30 * dayMs)).toBe(1);
    await world.settled(workspace, 4);
  });

  it("leaves no way around: no time to live, no activity, no extension", async () => {
    const { first } = daysAhead();
    const workspace = await world.make("stubborn", { ttl_ms: hourMs });
    await world.edit({ autostop_requirement: { days_of_week: [first], weeks: 1 } });
    await world.apply(Date.now());
    const night = (await maxDeadline(workspace)) ?? 0;
    const early = (await world.read(workspace)).latest_build.deadline ?? "";
    expect(Date.parse(early)).toBeLessThan(night);
    const beyond = new Date(night + hourMs).toISOString();
    expect(await world.put(workspace, "/extend", { deadline: beyond })).toMatchObject({
      status: 400,
      body: { validations: [{ field: "deadline" }] },
    });
    expect(await world.put(workspace, "/ttl", { ttl_ms: null })).toMatchObject({ status: 204 });
    await world.server.request("POST", `/workspaces/${workspace.id}/usage`);
    expect(await stopsOf(workspace)).toEqual([night, night]);
    expect(await world.apply(night)).toBe(1);
    await world.settled(workspace, 2);
  });

  it("gives the time of its present rule, and takes it back without one", async () => {
    const { first, second } = daysAhead();
    const plain = await world.make("plain");
    const lively = await world.make("lively", { ttl_ms: 20 * dayMs });
    await world.edit({ autostop_requirement: { days_of_week: [first], weeks: 1 } });
    const now = Date.now();
    await world.apply(now);
    const night = (await maxDeadline(plain)) ?? 0;
    await world.edit({ display_name: "Same" });
    expect(await maxDeadline(plain)).toBe(night);
    await world.edit({ autostop_requirement: { days_of_week: [second], weeks: 1 } });
    await world.apply(now);
    expect(await maxDeadline(plain)).toBe(night + dayMs);
    expect(await maxDeadline(lively)).toBe(night + dayMs);
    await world.edit({ autostop_requirement: { days_of_week: [], weeks: 1 } });
    expect((await world.read(plain)).latest_build).toMatchObject({
      deadline: null,
      max_deadline: null,
    });
    const { deadline } = (await world.read(lively)).latest_build;
    expect(Date.parse(deadline ?? "")).toBeGreaterThan(now + 19 * dayMs);
    expect(await world.apply(night + dayMs)).toBe(0);
  });

  it("gives a running build one time, whoever looked at the template before", async () => {
    const workspace = await world.make("raced");
    const { db } = world.server;
    const require = (at: number) => requireStops(db, world.templateId, [workspace.id], at);
    const night = Date.now() + dayMs;
    expect(await require(night)).toEqual([workspace.id]);
    expect(await require(night + dayMs)).toEqual([]);
    expect(await stopsOf(workspace)).toEqual([night, night]);
  });

  it("leaves an earlier deadline as its owner has set it", async () => {
    const { first } = daysAhead();
    const workspace = await world.make("early", { ttl_ms: hourMs });
    await world.edit({ autostop_requirement: { days_of_week: [first], weeks: 1 } });
    await world.apply(Date.now());
    const deadline = new Date(Date.now() + 2 * hourMs).toISOString();
    expect(await world.put(workspace, "/extend", { deadline })).toMatchObject({ status: 200 });
    await world.edit({ autostop_requirement: { days_of_week: [], weeks: 1 } });
    const { latest_build: build } = await world.read(workspace);
    expect(Date.parse(build.deadline ?? "")).toBe(Date.parse(deadline));
  });
});

it("takes days once each and in order, and up to 16 weeks", async () => {
  const path = `/templates/${world.templateId}`;
  for (const wrong of [
    { days_of_week: ["someday"], weeks: 1 },
    { days_of_week: ["monday"], weeks: 17 },
    { days_of_week: ["monday"], weeks: -1 },
    { days_of_week: "monday", weeks: 1 },
  ]) {
    const answer = await world.server.request("PATCH", path, { autostop_requirement: wrong });
    expect(answer).toMatchObject({ status: 400 });
  }
  const requirement = { days_of_week: ["sunday", "monday", "sunday"], weeks: 0 };
  const answer = await world.server.request("PATCH", path, { autostop_requirement: requirement });
  expect(answer).toMatchObject({
    status: 200,
    body: { autostop_requirement: { days_of_week: ["monday", "sunday"], weeks: 1 } },
  });
});
