import { expect, it } from "vitest";

import { readReports } from "./reports.ts";

const initial = 0xffff_ff00;
const outstanding = { una: 500, end: 1000 };

function read(...edges: readonly number[]): ReturnType<typeof readReports> {
  return readReports(
    edges.map((edge) => (initial + edge) >>> 0),
    initial,
    outstanding,
  );
}

it("reads ranges of what was sent, across the wrap", () => {
  expect(read(600, 700, 900, 1000)).toEqual({
    sacks: [600, 700, 900, 1000],
    wasReceivedTwice: false,
  });
});

it.each([
  ["was not sent", 900, 1001],
  ["was acknowledged in part", 499, 600],
  ["is empty", 600, 600],
  ["is the wrong way round", 700, 600],
  ["is far away", 0x4000_0000, 0x5000_0000],
])("drops a range that %s", (_, start, end) => {
  expect(read(start, end, 600, 700).sacks).toEqual([600, 700]);
});

it("knows what was received twice: below the acknowledgment, or within the second range", () => {
  expect(read(400, 500, 600, 700)).toEqual({ sacks: [600, 700], wasReceivedTwice: true });
  expect(read(610, 620, 600, 700).wasReceivedTwice).toBe(true);
  expect(read(600, 700).wasReceivedTwice).toBe(false);
});
