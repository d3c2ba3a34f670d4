import { expect, it } from "vitest";

import { Ranges } from "./ranges.ts";
import { SackBlocks } from "./sack-blocks.ts";

const initial = 1000;

/** Adds ranges one after the other, in order of receipt; returns the edges for the next segment as offsets. */
function take(blocks: SackBlocks): readonly number[] {
  return blocks.take().map((edge) => edge - initial);
}

function receive(ranges: Ranges, blocks: SackBlocks, start: number, end: number): void {
  ranges.add(start, end);
  blocks.received(end - 1);
}

it("reports the latest range first, then those before it, three at most", () => {
  const ranges = new Ranges();
  const blocks = new SackBlocks(initial, ranges);
  for (const start of [10, 30, 50, 70]) receive(ranges, blocks, start, start + 5);
  expect(take(blocks)).toEqual([70, 75, 50, 55, 30, 35]);
  receive(ranges, blocks, 15, 20);
  expect(take(blocks)).toEqual([10, 20, 70, 75, 50, 55]);
});

it("repeats what it has reported", () => {
  const ranges = new Ranges();
  const blocks = new SackBlocks(initial, ranges);
  receive(ranges, blocks, 10, 15);
  expect([take(blocks), take(blocks)]).toEqual([
    [10, 15],
    [10, 15],
  ]);
  ranges.removeBelow(20);
  expect(blocks.isNeeded).toBe(false);
  expect(take(blocks)).toEqual([]);
});

it("reports ranges that were joined once", () => {
  const ranges = new Ranges();
  const blocks = new SackBlocks(initial, ranges);
  receive(ranges, blocks, 10, 15);
  receive(ranges, blocks, 20, 25);
  receive(ranges, blocks, 15, 20);
  expect(take(blocks)).toEqual([10, 25]);
});

it("reports once what came twice, before all others (RFC 2883)", () => {
  const ranges = new Ranges();
  const blocks = new SackBlocks(initial, ranges);
  receive(ranges, blocks, 30, 35);
  blocks.receivedAgain(5, 10);
  expect(take(blocks)).toEqual([5, 10, 30, 35]);
  expect(take(blocks)).toEqual([30, 35]);
  blocks.receivedAgain(5, 10);
  ranges.clear();
  expect(blocks.isNeeded).toBe(true);
  expect(take(blocks)).toEqual([5, 10]);
  expect(blocks.isNeeded).toBe(false);
});

it("writes sequence numbers across the wrap", () => {
  const ranges = new Ranges();
  const blocks = new SackBlocks(0xffff_fff0, ranges);
  receive(ranges, blocks, 10, 20);
  expect(blocks.take()).toEqual([0xffff_fffa, 4]);
});
