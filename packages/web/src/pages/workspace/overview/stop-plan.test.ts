import { expect, it } from "vitest";

import { stopPlan } from "./stop-plan.ts";

const hourMs = 3_600_000;
const at = (hour: number): string => `2026-11-30T${String(hour).padStart(2, "0")}:00:00.000Z`;
const rules = { activity_bump_ms: hourMs, default_ttl_ms: 0, time_til_dormant_ms: 0 };

type Subject = Parameters<typeof stopPlan>[0];

function plan(
  changes: Partial<Omit<Subject, "latest_build">> = {},
  build: Partial<Subject["latest_build"]> = {},
) {
  return stopPlan(
    {
      ttl_ms: 8 * hourMs,
      autostart_schedule: null,
      next_start_at: null,
      last_used_at: at(10),
      dormant_at: null,
      deleting_at: null,
      ...changes,
      latest_build: {
        status: "running",
        deadline: at(17),
        max_deadline: null,
        job: { completed_at: at(9) },
        ...build,
      },
    },
    rules,
  );
}

const texts = ({ reasons }: ReturnType<typeof plan>): string =>
  reasons.map(({ text }) => text).join(" ");

it("tells the deadline, its origin and that use moves it", () => {
  const { headline, reasons, extendRefusal } = plan();
  expect(headline).toEqual({ text: "It stops", at: at(17) });
  expect(reasons[0]).toEqual({ text: "Its time to live is 8 h from its start,", at: at(9) });
  expect(reasons[1]).toMatchObject({ at: at(10) });
  expect(extendRefusal).toBeUndefined();
});

it("tells a deadline that was moved", () => {
  expect(plan({}, { deadline: at(19) }).reasons[0]).toMatchObject({
    text: expect.stringContaining("has postponed the deadline"),
    at: at(17),
  });
  expect(texts(plan({}, { deadline: at(12) }))).toContain("brought the deadline forward");
});

it("does not blame a person for the stop that a template requires", () => {
  const required = plan({}, { deadline: at(12), max_deadline: at(12) });
  expect(texts(required)).not.toContain("someone");
  expect(texts(required)).toContain("Its template requires it to stop");
});

it("tells that it is deleted at the deadline", () => {
  expect(plan({ on_deadline: "delete" }).headline.text).toBe("It is deleted");
});

it("says why there is nothing to extend", () => {
  const endless = plan({ ttl_ms: null }, { deadline: null });
  expect(endless.headline.text).toBe("It runs until someone stops it.");
  expect(endless.extendRefusal).toContain("no deadline");
  expect(texts(plan({}, { deadline: null }))).toContain("from its next start");
  expect(plan({}, { status: "stopped" }).extendRefusal).toContain("Only a running");
});

it("tells the next start, and the fate of a dormant workspace", () => {
  const stopped = plan(
    {
      autostart_schedule: "CRON_TZ=Europe/Berlin 30 9 * * mon-fri",
      next_start_at: at(20),
      dormant_at: at(11),
      deleting_at: at(23),
    },
    { status: "stopped" },
  );
  expect(stopped.reasons[0]).toEqual({
    text: "It starts automatically at 9:30 Mon-Fri (Europe/Berlin), next",
    at: at(20),
  });
  expect(stopped.reasons.map((reason) => reason.at)).toEqual([at(20), at(11), at(23)]);
});

it.each([
  ["failed", "Its last build failed."],
  ["pending", "Its build is waiting."],
  ["stopped", "It is stopped."],
] as const)("has a sentence for a workspace that is %s", (status, text) => {
  expect(plan({}, { status }).headline).toEqual({ text });
});
