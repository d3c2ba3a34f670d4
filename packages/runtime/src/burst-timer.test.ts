import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { BurstTimer } from "./burst-timer.ts";

function open() {
  const clock = createFakeClock(0);
  const end = new AbortController();
  const delivered: number[] = [];
  let waiting = 0;
  const timer = new BurstTimer({
    clock,
    signal: end.signal,
    deliver: () => {
      delivered.push(waiting);
      waiting = 0;
    },
  });
  const add = (bytes: number): void => {
    waiting += bytes;
    timer.add(bytes);
  };
  return { clock, end, delivered, timer, add };
}

it("hands on at once what comes now and then", async () => {
  const { clock, delivered, add } = open();
  for (const bytes of [1, 1, 4096]) {
    add(bytes);
    expect(delivered.at(-1)).toBe(bytes);
    await clock.advance(2);
  }
  expect(clock.sleepers).toBe(0);
});

it("hands on the first 8 KiB of a burst at once, and joins the rest", async () => {
  const { clock, delivered, add } = open();
  for (let count = 0; count < 19; count += 1) add(4096);
  expect(delivered).toEqual([4096, 4096, 15 * 4096]);
  await clock.advance(1);
  expect(delivered.at(-1)).toBe(2 * 4096);
  expect(clock.sleepers).toBe(0);
});

it("lets nothing wait longer than a millisecond, however long the burst", async () => {
  const { clock, delivered, add } = open();
  add(10_000);
  expect(delivered).toEqual([]);
  await clock.advance(0.9);
  add(1);
  await clock.advance(0.1);
  expect(delivered).toEqual([10_001]);
  add(1);
  expect(delivered.length).toBe(1);
  await clock.advance(1);
  expect(delivered.at(-1)).toBe(1);
});

it("gives what follows a full delivery a millisecond of its own", async () => {
  const { clock, delivered, add } = open();
  add(10_000);
  await clock.advance(0.9);
  add(60_000);
  add(1);
  await clock.advance(0.9);
  add(1);
  expect(delivered).toEqual([70_000]);
  await clock.advance(0.1);
  expect(delivered).toEqual([70_000, 2]);
});

it("ends a burst with its silence", async () => {
  const { clock, delivered, add } = open();
  add(10_000);
  await clock.advance(5);
  add(1);
  expect(delivered).toEqual([10_000, 1]);
});

it("delivers what waits when it is asked to, and once", async () => {
  const { clock, delivered, timer, add } = open();
  add(10_000);
  timer.flush();
  timer.flush();
  await clock.advance(1);
  expect(delivered).toEqual([10_000]);
});

it("delivers nothing after its end", async () => {
  const { clock, end, delivered, add } = open();
  add(10_000);
  end.abort();
  await clock.advance(1);
  expect(delivered).toEqual([]);
  expect(clock.sleepers).toBe(0);
});
