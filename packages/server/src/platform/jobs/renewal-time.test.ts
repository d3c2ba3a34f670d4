import { expect, it } from "vitest";

import { momentBefore, momentOf, RenewalTime } from "./renewal-time.ts";

/** A machine whose clocks go on together, or apart. */
function openClock() {
  const clock = { wall: 1_000_000, since: 50_000 };
  return {
    now: () => clock.wall,
    monotonic: () => clock.since,
    pass: (ms: number, wallMs = ms): void => {
      clock.since += ms;
      clock.wall += wallMs;
    },
  };
}

it.each([
  ["goes on", 5_000, 5_000, 5_000, 1_000_000],
  ["is set back", 5_000, -60_000, 5_000, 935_000],
  ["is set ahead", 5_000, 60_000, 5_000, 1_000_000],
  ["goes on while the machine is suspended", 0, 60_000, 0, 1_000_000],
])("has an age and a time when the wall clock %s", (_name, ms, wallMs, ageMs, atMs) => {
  const clock = openClock();
  const renewal = new RenewalTime(clock, momentOf(clock));
  clock.pass(ms, wallMs);
  expect(renewal.ageMs).toBe(ageMs);
  expect(renewal.wallAgeMs).toBe(wallMs);
  expect(renewal.wallMs).toBe(atMs);
});

it("notes later renewals, and none that is older than the last", () => {
  const clock = openClock();
  const renewal = new RenewalTime(clock);
  expect(renewal.ageMs).toBe(Infinity);
  const first = momentOf(clock);
  clock.pass(2_000, -60_000);
  renewal.note(momentOf(clock));
  renewal.note(momentBefore(momentOf(clock), 1_000));
  renewal.note(first);
  clock.pass(500);
  expect(renewal.ageMs).toBe(500);
});
