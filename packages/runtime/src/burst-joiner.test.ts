import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { BurstJoiner } from "./burst-joiner.ts";

function open() {
  const clock = createFakeClock(0);
  const end = new AbortController();
  const delivered: number[][] = [];
  const joiner = new BurstJoiner({
    clock,
    signal: end.signal,
    deliver: (pieces) => delivered.push(pieces.map(({ length }) => length)),
  });
  return { clock, end, delivered, joiner };
}

it("hands on at once what comes now and then", async () => {
  const { clock, delivered, joiner } = open();
  for (const length of [1, 1, 4096]) {
    joiner.add(new Uint8Array(length));
    expect(delivered.at(-1)).toEqual([length]);
    await clock.advance(2);
  }
  expect(clock.sleepers).toBe(0);
});

it("hands on the first 8 KiB of a burst at once, and joins the rest", async () => {
  const { clock, delivered, joiner } = open();
  for (let count = 0; count < 12; count += 1) joiner.add(new Uint8Array(4096));
  expect(delivered).toEqual([[4096], [4096], Array.from({ length: 8 }, () => 4096)]);
  await clock.advance(1);
  expect(delivered.at(-1)).toEqual([4096, 4096]);
  expect(clock.sleepers).toBe(0);
});

it("lets no piece wait longer than a millisecond, however long the burst", async () => {
  const { clock, delivered, joiner } = open();
  joiner.add(new Uint8Array(10_000));
  expect(delivered).toEqual([]);
  await clock.advance(0.9);
  joiner.add(new Uint8Array(1));
  await clock.advance(0.1);
  expect(delivered).toEqual([[10_000, 1]]);
  joiner.add(new Uint8Array(1));
  expect(delivered.length).toBe(1);
  await clock.advance(1);
  expect(delivered.at(-1)).toEqual([1]);
});

it("ends a burst with its silence", async () => {
  const { clock, delivered, joiner } = open();
  joiner.add(new Uint8Array(10_000));
  await clock.advance(5);
  joiner.add(new Uint8Array(1));
  expect(delivered).toEqual([[10_000], [1]]);
});

it("delivers what waits when it is asked to, and once", async () => {
  const { clock, delivered, joiner } = open();
  joiner.add(new Uint8Array(10_000));
  joiner.flush();
  joiner.flush();
  await clock.advance(1);
  expect(delivered).toEqual([[10_000]]);
});

it("delivers nothing after its end", async () => {
  const { clock, end, delivered, joiner } = open();
  joiner.add(new Uint8Array(10_000));
  end.abort();
  await clock.advance(1);
  expect(delivered).toEqual([]);
});
