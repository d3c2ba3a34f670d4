import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { reconcile, type ReconcileLimits } from "./reconcile.ts";
import type { Pool, Prebuild } from "./snapshot.ts";

const nowMs = Date.parse("2026-11-25T12:00:00Z");
const minute = 60_000;
const limits: ReconcileLimits = {
  backoffMs: minute,
  lookbackMs: 60 * minute,
  failureHardLimit: 3,
};
const pool: Pool = {
  presetId: "preset",
  isActive: true,
  desiredInstances: 2,
  schedulingTimezone: "",
  windows: [],
  expireAfterMs: undefined,
  lastInvalidatedAtMs: undefined,
  status: "healthy",
};

type Status = Prebuild["build"]["status"];

function prebuild(
  workspaceId: string,
  {
    ageMs = 10 * minute,
    isReady = true,
    ...build
  }: Partial<Prebuild["build"]> & { readonly ageMs?: number; readonly isReady?: boolean } = {},
): Prebuild {
  return {
    workspaceId,
    createdAtMs: nowMs - ageMs,
    isReady,
    build: {
      transition: "start",
      status: "succeeded",
      createdAtMs: nowMs - ageMs,
      isOfVersion: true,
      ...build,
    },
  };
}

function plan(prebuilds: readonly Prebuild[], changes: Partial<Pool> = {}, at = nowMs) {
  const sorted = prebuilds.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  return reconcile({ pool: { ...pool, ...changes }, prebuilds: sorted }, at, limits);
}

describe("reconcile", () => {
  it("makes what is missing, counting what starts already", () => {
    expect(plan([])).toMatchObject({ desired: 2, create: 2, remove: [], held: undefined });
    expect(plan([prebuild("a", { status: "running" })])).toMatchObject({ create: 1, starting: 1 });
    expect(plan([prebuild("a"), prebuild("b", { status: "pending" })]).create).toBe(0);
  });

  it("removes the oldest that are too many, whether ready or not, in one pass", () => {
    const all = ["e", "d", "c", "b", "a"].map((id, index) =>
      prebuild(id, { ageMs: (index + 1) * minute, isReady: index % 2 === 0 }),
    );
    expect(plan(all)).toMatchObject({
      create: 0,
      running: 5,
      eligible: 3,
      remove: ["a", "b", "c"],
    });
    expect(plan(all, { desiredInstances: 0 }).remove).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("takes back what nobody has begun when fewer are wanted, and waits for what has begun", () => {
    const all = [
      prebuild("a"),
      prebuild("b", { status: "running", ageMs: 3 * minute }),
      prebuild("c", { status: "pending", ageMs: 2 * minute }),
      prebuild("d", { status: "pending", ageMs: minute }),
    ];
    expect(plan(all).remove).toEqual(["c", "d"]);
    expect(plan(all, { desiredInstances: 1 }).remove).toEqual(["c", "d"]);
  });

  it("takes back the newest of what nobody has begun, as the oldest are done first", () => {
    const all = ["a", "b", "c", "d"].map((id, index) =>
      prebuild(id, { status: "pending", ageMs: (4 - index) * minute }),
    );
    expect(plan(all).remove).toEqual(["c", "d"]);
  });

  it("is held off by no failed deletion, however many there are", () => {
    const failed = ["a", "b", "c"].map((id, index) =>
      prebuild(id, { transition: "delete", status: "failed", ageMs: (index + 1) * minute }),
    );
    expect(plan(failed)).toMatchObject({ create: 2, held: undefined, backoffUntilMs: undefined });
  });

  it("replaces what has expired or was invalidated", () => {
    const old = prebuild("old", { ageMs: 61 * minute });
    const young = prebuild("young", { ageMs: 60 * minute });
    expect(plan([old, young], { expireAfterMs: 60 * minute })).toMatchObject({
      create: 1,
      remove: ["old"],
      running: 1,
    });
    const lastInvalidatedAtMs = nowMs - 60 * minute;
    expect(plan([old, young], { lastInvalidatedAtMs }).remove).toEqual(["old"]);
  });

  it("empties the pool of a version that is not the active one, expired ones too", () => {
    const all = [
      prebuild("running"),
      prebuild("expired", { ageMs: 100 * minute }),
      prebuild("failed", { status: "failed" }),
      prebuild("canceled", { status: "canceled" }),
      prebuild("pending", { status: "pending" }),
      prebuild("stopped", { transition: "stop" }),
    ];
    const { remove, create } = plan(all, { isActive: false, expireAfterMs: 60 * minute });
    expect(remove.toSorted()).toEqual(
      ["canceled", "expired", "failed", "pending", "running", "stopped"].toSorted(),
    );
    expect(create).toBe(0);
  });

  it("replaces what an administrator moved to another version", () => {
    expect(plan([prebuild("a", { isOfVersion: false }), prebuild("b")])).toMatchObject({
      remove: ["a"],
      create: 1,
    });
  });

  it("leaves alone what is being stopped or deleted, and what was stopped until it expires", () => {
    const all = [
      prebuild("a", { transition: "stop", status: "running" }),
      prebuild("b", { transition: "delete", status: "pending" }),
      prebuild("c", { transition: "stop", ageMs: 30 * minute }),
    ];
    expect(plan(all, { expireAfterMs: 60 * minute }).remove).toEqual([]);
    expect(plan(all, { expireAfterMs: 20 * minute }).remove).toEqual(["c"]);
  });

  it("tries a deletion that failed again after a while", () => {
    const failed = (ageMs: number) =>
      prebuild("a", { transition: "delete", status: "failed", ageMs });
    expect(plan([failed(minute)]).remove).toEqual([]);
    expect(plan([failed(6 * minute)]).remove).toEqual(["a"]);
  });

  it("is held off for a while by each failure, but deletes all the same", () => {
    const failures = [
      prebuild("f1", { status: "failed", ageMs: 3 * minute }),
      prebuild("f2", { status: "failed", ageMs: 1.5 * minute }),
    ];
    const expired = prebuild("old", { ageMs: 100 * minute });
    const held = plan([...failures, expired], { expireAfterMs: 90 * minute });
    expect(held).toMatchObject({
      create: 0,
      held: "backed-off",
      backoffUntilMs: nowMs + 0.5 * minute,
      remove: ["old"],
    });
    expect(plan(failures, {}, nowMs + 0.6 * minute)).toMatchObject({ create: 2, held: undefined });
  });

  it("is held off also where only a window wants any", () => {
    const windows = [{ cron: "* 12 * * *", instances: 3 }];
    const changes = { desiredInstances: 0, windows, schedulingTimezone: "UTC" };
    const failed = prebuild("f", { status: "failed", ageMs: 10_000 });
    expect(plan([failed], changes)).toMatchObject({ desired: 3, create: 0, held: "backed-off" });
  });

  it("forgets failures before the look-back, and those that successes came after", () => {
    const old = prebuild("f", { status: "failed", ageMs: 61 * minute });
    expect(plan([old]).create).toBe(2);
    const overtaken = [
      prebuild("f", { status: "failed", ageMs: 20_000 }),
      prebuild("a", { ageMs: 10_000 }),
      prebuild("b", { ageMs: 5_000 }),
    ];
    expect(plan(overtaken, { desiredInstances: 2 }).backoffUntilMs).toBeUndefined();
  });

  it("stops after as many failures in a row as the limit says", () => {
    const failed = [1, 2, 3].map((n) =>
      prebuild(`f${n}`, { status: "failed", ageMs: n * 200 * minute }),
    );
    expect(plan(failed)).toMatchObject({ create: 0, held: "hard-limited" });
    expect(plan(failed.slice(1)).held).toBeUndefined();
    expect(plan([...failed, prebuild("a", { ageMs: minute })]).create).toBe(1);
  });

  it("makes nothing of a preset whose values do not fit", () => {
    expect(plan([], { status: "validation_failed" })).toMatchObject({
      create: 0,
      held: "validation-failed",
    });
  });

  it("keeps failed ones for people to look into, but not for ever", () => {
    const failed = [1, 2, 3, 4, 5].map((n) =>
      prebuild(`f${n}`, { status: "failed", ageMs: n * 40 * minute }),
    );
    expect(plan(failed).remove).toEqual(["f5", "f4"]);
  });

  it("never makes more than are missing, nor removes what it counts on", () => {
    const statuses: readonly Status[] = ["pending", "running", "succeeded", "failed", "canceled"];
    const anyPrebuild = fc.record({
      transition: fc.constantFrom<Prebuild["build"]["transition"]>("start", "stop", "delete"),
      status: fc.constantFrom(...statuses),
      isOfVersion: fc.boolean(),
      isReady: fc.boolean(),
      ageMs: fc.integer({ min: 0, max: 200 * minute }),
    });
    const anyPool = fc.record({
      desiredInstances: fc.integer({ min: 0, max: 5 }),
      isActive: fc.boolean(),
      expireAfterMs: fc.option(fc.integer({ min: 1, max: 200 * minute }), { nil: undefined }),
      status: fc.constantFrom<Pool["status"]>("healthy", "hard_limited", "validation_failed"),
    });
    fc.assert(
      fc.property(fc.array(anyPrebuild, { maxLength: 10 }), anyPool, (all, changes) => {
        const prebuilds = all.map((one, index) => prebuild(`${index}`, one));
        const { create, remove, running, starting, desired, held } = plan(prebuilds, changes);
        expect(create).toBeLessThanOrEqual(Math.max(desired - running - starting, 0));
        expect(held === undefined || create === 0).toBe(true);
        expect(new Set(remove).size).toBe(remove.length);
        const stays = (one: Prebuild): boolean => !remove.includes(one.workspaceId);
        const counted = prebuilds.filter(
          ({ build }) =>
            build.transition === "start" && ["running", "pending"].includes(build.status),
        );
        // Running builds are left to finish.
        expect(counted.filter(({ build }) => build.status === "running").every(stays)).toBe(true);
        expect(create === 0 || counted.every(stays)).toBe(true);
      }),
    );
  });
});
