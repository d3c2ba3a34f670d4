import { expect, it } from "vitest";

import { KeepAlive } from "./keep-alive.ts";

function started(at: number): KeepAlive {
  const keepAlive = new KeepAlive();
  keepAlive.start(at);
  return keepAlive;
}

it("wants to be woken at once until it knows the time", () => {
  const keepAlive = new KeepAlive();
  expect(keepAlive.nextWake()).toBe(0);
  keepAlive.tick(1000, () => 0);
  expect(keepAlive.nextWake()).toBe(31_000);
});

it("pings every 30 s as long as pongs come", () => {
  const keepAlive = started(0);
  const sent: number[] = [];
  for (const now of [29_999, 30_000, 59_999, 60_000, 90_000]) {
    keepAlive.tick(now, () => sent.push(now));
    keepAlive.pong(sent.length);
  }
  expect(sent).toEqual([30_000, 60_000, 90_000]);
});

it("gives up 10 s after a ping without a pong", () => {
  const keepAlive = started(0);
  keepAlive.tick(30_000, () => 7);
  expect(keepAlive.nextWake()).toBe(40_000);
  keepAlive.tick(39_999, () => 8);
  expect(() => {
    keepAlive.tick(40_000, () => 8);
  }).toThrow(expect.objectContaining({ code: "keep-alive-timeout" }));
});

it("takes no other pong for its own", () => {
  const keepAlive = started(0);
  expect(keepAlive.pong(7)).toBe(false);
  keepAlive.tick(30_000, () => 7);
  expect(keepAlive.pong(6)).toBe(false);
  expect(keepAlive.pong(7)).toBe(true);
  expect(keepAlive.pong(7)).toBe(false);
});
