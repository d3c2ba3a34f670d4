import fc from "fast-check";
import { expect, it } from "vitest";

import { Ranges } from "./ranges.ts";

const anyRange = fc
  .tuple(fc.nat(60), fc.integer({ min: 1, max: 12 }))
  .map(([start, length]) => [start, start + length] as const);
const anyRanges = fc.array(anyRange, { maxLength: 20 });

function rangesOf(added: readonly (readonly [number, number])[]): Ranges {
  const ranges = new Ranges();
  for (const [start, end] of added) ranges.add(start, end);
  return ranges;
}

function listOf(ranges: Ranges): readonly (readonly [number, number])[] {
  return Array.from({ length: ranges.size }, (_, at) => [ranges.start(at), ranges.end(at)]);
}

/** The offsets of ranges, the plain way. */
function offsetsOf(list: readonly (readonly [number, number])[]): readonly number[] {
  const offsets = new Set<number>();
  for (const [start, end] of list) for (let at = start; at < end; at += 1) offsets.add(at);
  return [...offsets].toSorted((a, b) => a - b);
}

it("joins ranges that overlap or touch", () => {
  expect(
    listOf(
      rangesOf([
        [10, 20],
        [30, 40],
        [20, 25],
        [5, 6],
      ]),
    ),
  ).toEqual([
    [5, 6],
    [10, 25],
    [30, 40],
  ]);
  expect(
    listOf(
      rangesOf([
        [10, 20],
        [30, 40],
        [15, 30],
      ]),
    ),
  ).toEqual([[10, 40]]);
});

it("holds what was added, in order, with gaps between", () => {
  fc.assert(
    fc.property(anyRanges, (added) => {
      const list = listOf(rangesOf(added));
      expect(offsetsOf(list)).toEqual(offsetsOf(added));
      for (const [at, range] of list.entries()) {
        const previous = list[at - 1];
        expect(previous === undefined || previous[1] < range[0]).toBe(true);
      }
    }),
  );
});

it("finds the gaps of a range", () => {
  fc.assert(
    fc.property(anyRanges, anyRange, (added, [start, end]) => {
      const ranges = rangesOf(added);
      const gaps: (readonly [number, number])[] = [];
      ranges.forEachGap(start, end, (gapStart, gapEnd) => gaps.push([gapStart, gapEnd]));
      const held = new Set(offsetsOf(added));
      expect(offsetsOf(gaps)).toEqual(offsetsOf([[start, end]]).filter((at) => !held.has(at)));
      expect(gaps.length === 0).toBe(ranges.covers(start, end));
    }),
  );
});

it("touches what it would be joined with", () => {
  fc.assert(
    fc.property(anyRanges, anyRange, (added, [start, end]) => {
      const ranges = rangesOf(added);
      const touches = ranges.touches(start, end);
      const { size } = ranges;
      ranges.add(start, end);
      expect(touches).toBe(ranges.size <= size);
    }),
  );
});

it("removes all below an offset", () => {
  fc.assert(
    fc.property(anyRanges, fc.nat(80), (added, offset) => {
      const ranges = rangesOf(added);
      ranges.removeBelow(offset);
      expect(offsetsOf(listOf(ranges))).toEqual(offsetsOf(added).filter((at) => at >= offset));
    }),
  );
});
