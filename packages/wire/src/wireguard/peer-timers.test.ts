import { expect, it } from "vitest";

import { keepAliveMs, maxAttempts, rekeyTimeoutMs, stalledMs, wipeAfterMs } from "./limits.ts";
import { PeerTimers } from "./peer-timers.ts";

/** Sends initiations that are not answered, and returns the timers' results for each. */
function attempt(timers: PeerTimers, times: number, from = 0): readonly unknown[] {
  return Array.from({ length: times }, (_, at) => {
    const now = from + at * rekeyTimeoutMs;
    timers.initiated(now);
    expect(timers.takeDue(now + rekeyTimeoutMs - 1)).toBeUndefined();
    return timers.takeDue(now + rekeyTimeoutMs);
  });
}

const retries = (count: number): readonly string[] => Array.from({ length: count }, () => "retry");

it("gives up after so many initiations, and begins to count anew", () => {
  const timers = new PeerTimers(() => 0);
  for (let time = 0; time < 2; time += 1) {
    expect(attempt(timers, maxAttempts)).toEqual([...retries(maxAttempts - 1), "give-up"]);
  }
});

it("counts anew after each handshake that succeeds", () => {
  const timers = new PeerTimers(() => 0);
  for (let time = 0; time < 3; time += 1) {
    expect(attempt(timers, maxAttempts - 1)).toEqual(retries(maxAttempts - 1));
    timers.initiated(1_000_000);
    timers.agreed();
    expect(timers.takeDue(2_000_000)).toBeUndefined();
  }
});

it("asks for a handshake when what was sent is not answered, counted from the first of it", () => {
  const timers = new PeerTimers(() => 0);
  timers.sent(true, 0);
  timers.sent(true, 5000);
  expect(timers.nextWake).toBe(stalledMs);
  expect([timers.takeDue(stalledMs), timers.takeDue(stalledMs)]).toEqual(["handshake", undefined]);
  timers.sent(true, 20_000);
  timers.received(false, 21_000);
  timers.sent(false, 22_000);
  expect(timers.nextWake).toBe(Infinity);
});

it("sends one keep-alive for what came first, and another for what came after it", () => {
  const timers = new PeerTimers(() => 0);
  timers.received(true, 0);
  timers.received(true, 4000);
  expect(timers.takeDue(keepAliveMs)).toBe("keep-alive");
  expect(timers.takeDue(2 * keepAliveMs - 1)).toBeUndefined();
  expect(timers.takeDue(2 * keepAliveMs)).toBe("keep-alive");
  expect(timers.takeDue(3 * keepAliveMs)).toBeUndefined();
});

it("keeps keys for a time after the newest, not the first", () => {
  const timers = new PeerTimers(() => 0);
  timers.derived(0);
  timers.derived(1000);
  expect(timers.takeDue(wipeAfterMs)).toBeUndefined();
  expect([timers.takeDue(wipeAfterMs + 1000), timers.takeDue(wipeAfterMs + 1000)]).toEqual([
    "wipe",
    undefined,
  ]);
});

it("keeps a path open by a message in each period, and no longer once that is turned off", () => {
  const timers = new PeerTimers(() => 0);
  timers.setPersistentKeepAlive(25_000, 0);
  expect([timers.takeDue(0), timers.takeDue(24_999)]).toEqual(["keep-alive", undefined]);
  timers.sent(false, 10_000);
  timers.setPersistentKeepAlive(25_000, 20_000);
  expect([timers.takeDue(34_999), timers.takeDue(35_000)]).toEqual([undefined, "keep-alive"]);
  timers.setPersistentKeepAlive(undefined, 40_000);
  expect(timers.nextWake).toBe(Infinity);
});
