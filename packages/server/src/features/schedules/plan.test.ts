import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { nextActionAt, planAction, type ScheduledWorkspace } from "./plan.ts";

const at = (time: string): number => Date.parse(`2026-01-${time}:00Z`);

const running: ScheduledWorkspace = {
  id: "w",
  ownerIsActive: true,
  isDormant: false,
  deletion: undefined,
  lastUsedAt: at("01T12:00"),
  autostart: undefined,
  nextStartAt: undefined,
  deletionTtlMs: undefined,
  rules: { allowsAutostart: true, dormancyMs: undefined, failureTtlMs: undefined },
  build: {
    transition: "start",
    job: "succeeded",
    completedAt: at("05T08:00"),
    deadline: at("05T18:00"),
    maxDeadline: undefined,
  },
};
const stopped: ScheduledWorkspace = {
  ...running,
  autostart: "0 9 * * 1-5",
  nextStartAt: at("05T09:00"),
  build: {
    transition: "stop",
    job: "succeeded",
    completedAt: at("04T18:00"),
    deadline: undefined,
    maxDeadline: undefined,
  },
};

describe("autostop", () => {
  it("comes at the deadline, not before", () => {
    expect(planAction(running, at("05T17:59"))).toBeUndefined();
    expect(planAction(running, at("05T18:00"))).toEqual({ kind: "stop", reason: "autostop" });
  });

  it("comes late rather than never", () => {
    expect(planAction(running, at("09T00:00"))).toEqual({ kind: "stop", reason: "autostop" });
  });

  it("leaves alone what does not run, or not yet", () => {
    const now = at("06T00:00");
    for (const build of [
      { ...running.build, job: "open" },
      { ...running.build, job: "failed" },
      { ...running.build, transition: "stop" },
    ] as const) {
      expect(planAction({ ...running, build }, now)).toBeUndefined();
    }
  });

  it("lets run what has no deadline", () => {
    const build = { ...running.build, deadline: undefined };
    expect(planAction({ ...running, build }, at("31T00:00"))).toBeUndefined();
  });
});

describe("autostart", () => {
  it("comes at its time, and the next one is that of the next day", () => {
    expect(planAction(stopped, at("05T08:59"))).toBeUndefined();
    expect(planAction(stopped, at("05T09:00"))).toEqual({
      kind: "start",
      nextStartAt: at("06T09:00"),
    });
  });

  it("makes up once for all times that were missed", () => {
    const action = planAction(stopped, at("09T12:00"));
    expect(action).toEqual({ kind: "start", nextStartAt: at("12T09:00") });
  });

  it("tries what failed again at its next time", () => {
    const build = { ...stopped.build, transition: "start", job: "failed" } as const;
    expect(planAction({ ...stopped, build }, at("05T09:00"))).toMatchObject({ kind: "start" });
  });

  it.each([
    ["runs already", { build: { ...running.build, deadline: undefined } }],
    ["is dormant", { isDormant: true }],
    ["has a suspended owner", { ownerIsActive: false }],
    ["may not start by itself", { rules: { ...stopped.rules, allowsAutostart: false } }],
  ])("passes over a workspace that %s", (_what, more) => {
    expect(planAction({ ...stopped, ...more }, at("05T09:00"))).toEqual({
      kind: "skip",
      nextStartAt: at("06T09:00"),
    });
  });

  it("waits for the build that is under way", () => {
    const build = { ...stopped.build, job: "open", completedAt: undefined } as const;
    expect(planAction({ ...stopped, build }, at("05T09:00"))).toBeUndefined();
  });
});

describe("the time of a failed start", () => {
  const rules = { ...running.rules, failureTtlMs: 3_600_000 };
  const build = { ...running.build, job: "failed", deadline: undefined } as const;
  const failed: ScheduledWorkspace = { ...running, rules, build };

  it("ends with a stop, not before and late rather than never", () => {
    expect(planAction(failed, at("05T08:59"))).toBeUndefined();
    for (const time of ["05T09:00", "25T00:00"]) {
      expect(planAction(failed, at(time))).toEqual({ kind: "stop", reason: "autostop" });
    }
  });

  it("comes before a start that is due as well", () => {
    const both = { ...failed, autostart: "0 9 * * *", nextStartAt: at("05T09:00") };
    expect(planAction(both, at("05T09:00"))).toMatchObject({ kind: "stop" });
  });

  it.each([
    ["has no such time", { rules: running.rules }],
    ["was canceled", { build: { ...build, job: "canceled" } }],
    ["is under way again", { build: { ...build, job: "open", completedAt: undefined } }],
    ["runs", { build: { ...build, job: "succeeded" } }],
    ["failed to stop", { build: { ...build, transition: "stop" } }],
    ["failed to be deleted", { build: { ...build, transition: "delete" } }],
  ] as const)("leaves alone what %s", (_what, more) => {
    expect(planAction({ ...failed, ...more }, at("25T00:00"))).toBeUndefined();
  });
});

describe("the time without use", () => {
  const rules = { ...running.rules, dormancyMs: 2 * 86_400_000 };

  it("makes dormant what runs and what does not, not before and late rather than never", () => {
    for (const workspace of [running, stopped]) {
      expect(
        planAction({ ...workspace, rules, nextStartAt: undefined }, at("03T11:59")),
      ).toBeUndefined();
      expect(planAction({ ...workspace, rules }, at("03T12:00"))).toEqual({ kind: "sleep" });
      expect(planAction({ ...workspace, rules }, at("30T12:00"))).toEqual({ kind: "sleep" });
    }
  });

  it("comes before a start that is due as well", () => {
    expect(planAction({ ...stopped, rules }, at("05T09:00"))).toEqual({ kind: "sleep" });
  });

  it("waits for the build that is under way", () => {
    const build = { ...running.build, job: "open", completedAt: undefined } as const;
    expect(planAction({ ...running, rules, build }, at("30T00:00"))).toBeUndefined();
  });

  it("makes nothing dormant twice", () => {
    expect(planAction({ ...running, rules, isDormant: true }, at("30T00:00"))).toMatchObject({
      kind: "stop",
    });
    const asleep = { ...stopped, rules, isDormant: true, nextStartAt: undefined };
    expect(planAction(asleep, at("30T00:00"))).toBeUndefined();
  });
});

describe("the deletion of a dormant workspace", () => {
  const dormant = { ...stopped, isDormant: true, nextStartAt: undefined };
  const announced = { ...dormant, deletion: { at: at("20T12:00"), isAnnounced: true } };
  const silent = { ...dormant, deletion: { at: at("20T12:00"), isAnnounced: false } };

  it("is announced a day before, and late rather than never", () => {
    expect(planAction(silent, at("19T11:59"))).toBeUndefined();
    for (const time of ["19T12:00", "20T12:00", "30T12:00"]) {
      expect(planAction(silent, at(time))).toEqual({ kind: "announceDeletion" });
    }
  });

  it("comes at its time once it was announced, not before and late rather than never", () => {
    expect(planAction(announced, at("20T11:59"))).toBeUndefined();
    for (const time of ["20T12:00", "30T12:00"]) {
      expect(planAction(announced, at(time))).toEqual({ kind: "delete", reason: "dormancy" });
    }
  });

  it("is tried again a day after it failed or was canceled", () => {
    for (const job of ["failed", "canceled"] as const) {
      const build = {
        ...stopped.build,
        transition: "delete",
        job,
        completedAt: at("22T12:00"),
      } as const;
      for (const workspace of [announced, silent]) {
        expect(planAction({ ...workspace, build }, at("23T11:59"))).toBeUndefined();
        expect(planAction({ ...workspace, build }, at("23T12:00"))).toBeDefined();
      }
    }
  });

  it("waits for the build that is under way, and for the stop of what runs", () => {
    const build = { ...running.build, job: "open", completedAt: undefined } as const;
    expect(planAction({ ...announced, build }, at("30T12:00"))).toBeUndefined();
    expect(planAction({ ...announced, build: running.build }, at("30T12:00"))).toMatchObject({
      kind: "stop",
    });
  });
});

describe("a workspace that is deleted after its time to live", () => {
  const hourMs = 3_600_000;
  const sandbox = { ...running, deletionTtlMs: hourMs };
  const deletion = { kind: "delete", reason: "autostop" };

  it("is deleted at its deadline, not before, however long it ran", () => {
    expect(planAction(sandbox, at("05T17:59"))).toBeUndefined();
    expect(planAction(sandbox, at("05T18:00"))).toEqual(deletion);
    expect(planAction(sandbox, at("09T00:00"))).toEqual(deletion);
  });

  it("stays while its deadline was moved", () => {
    const build = { ...running.build, deadline: at("05T19:00") };
    expect(planAction({ ...sandbox, build }, at("05T18:30"))).toBeUndefined();
  });

  it("is only stopped when its template requires a stop", () => {
    const build = { ...running.build, maxDeadline: running.build.deadline };
    const stop = { kind: "stop", reason: "autostop" };
    expect(planAction({ ...sandbox, build }, at("05T18:00"))).toEqual(stop);
  });

  it.each([
    ["stop", "succeeded"],
    ["stop", "failed"],
    ["start", "failed"],
    ["start", "canceled"],
    ["delete", "failed"],
  ] as const)("is deleted that long after a %s that %s", (transition, job) => {
    const build = { ...running.build, transition, job, deadline: undefined };
    expect(planAction({ ...sandbox, build }, at("05T08:59"))).toBeUndefined();
    expect(planAction({ ...sandbox, build }, at("05T09:00"))).toEqual(deletion);
  });

  it("stays while a build runs", () => {
    const build = { ...running.build, job: "open", deadline: undefined } as const;
    expect(planAction({ ...sandbox, build }, at("09T00:00"))).toBeUndefined();
  });
});

it("stops a dormant workspace", () => {
  expect(planAction({ ...running, isDormant: true }, at("05T00:00"))).toEqual({
    kind: "stop",
    reason: "dormancy",
  });
});

it("never leaves a time in the past to be seen to again", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400 * 86_400_000 }), (late) => {
      const now = at("05T09:00") + late;
      const action = planAction(stopped, now);
      expect(action).toMatchObject({ kind: "start" });
      expect(action).toSatisfy(({ nextStartAt }) => nextStartAt > now);
    }),
    { numRuns: 50 },
  );
});

describe("the time of the next action", () => {
  const time = fc.integer({ min: 0, max: 100 });
  const maybe = fc.option(time, { nil: undefined });
  const workspace: fc.Arbitrary<ScheduledWorkspace> = fc.record({
    id: fc.constant("w"),
    ownerIsActive: fc.boolean(),
    isDormant: fc.boolean(),
    deletion: fc.option(
      fc.record({ at: time.map((day) => at("05T00:00") + day), isAnnounced: fc.boolean() }),
      { nil: undefined },
    ),
    lastUsedAt: time,
    autostart: fc.constantFrom(undefined, "0 9 * * *"),
    nextStartAt: maybe,
    deletionTtlMs: maybe,
    rules: fc.record({ allowsAutostart: fc.boolean(), dormancyMs: maybe, failureTtlMs: maybe }),
    build: fc.record({
      transition: fc.constantFrom("start", "stop", "delete"),
      job: fc.constantFrom("succeeded", "failed", "canceled"),
      completedAt: time,
      deadline: maybe,
      maxDeadline: maybe,
    }),
  });

  it("has an action, and no time before it does", () => {
    fc.assert(
      fc.property(workspace, fc.nat({ max: 1_000 }), (given, before) => {
        const next = nextActionAt(given);
        const earlier = next === Infinity ? at("31T00:00") : next - 1 - before;
        expect(!Number.isFinite(next) || planAction(given, next) !== undefined).toBe(true);
        expect(next === -Infinity || planAction(given, earlier) === undefined).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is never while a build is under way", () => {
    fc.assert(
      fc.property(workspace, (given) => {
        const build = { ...given.build, job: "open", completedAt: undefined } as const;
        expect(nextActionAt({ ...given, build })).toBe(Infinity);
      }),
    );
  });
});
