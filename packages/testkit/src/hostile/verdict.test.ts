import { expect, it } from "vitest";

import type { Interval } from "./options.ts";
import { judgeHostileRun } from "./verdict.ts";

/** Makes a run of 20 minutes with the given memory and disk at each minute, in MiB. */
function run(
  memory: (minute: number) => number,
  disk: (minute: number) => number,
): readonly Interval[] {
  return Array.from({ length: 20 }, (_, index) => ({
    atMs: (index + 1) * 60_000,
    p50Ms: 5,
    p99Ms: 20,
    worstMs: 90,
    longestTurnMs: 5,
    requests: 300,
    memoryBytes: memory(index + 1) * 2 ** 20,
    diskBytes: disk(index + 1) * 2 ** 20,
    tricks: [],
  }));
}

const flat = () => 200;

it("passes a run whose memory comes to rest and whose disk hardly grows", () => {
  const intervals = run(
    (minute) => 300 - 100 / minute,
    (minute) => 100 + minute,
  );
  expect(judgeHostileRun({ intervals, faults: [], p99Ms: 60, worstMs: 500 })).toEqual([]);
});

it.each([
  ["slow requests", run(flat, flat), [], 101, 101, /took up to 101 ms/],
  ["one very slow request", run(flat, flat), [], 1, 501, /took 501 ms/],
  ["no request at all", run(flat, flat), [], Number.NaN, 0, /took up to NaN/],
  ["memory that grows", run((minute) => 200 + 10 * minute, flat), [], 1, 1, /memory grew by/],
  ["a disk that grows", run(flat, (minute) => 10 * minute), [], 1, 1, /600 MiB an hour/],
  ["a fault of the server", [], ["was answered with 500"], 1, 1, /500/],
])("tells of %s", (_what, intervals, faults, p99Ms, worstMs, text) => {
  const violations = judgeHostileRun({ intervals, faults, p99Ms, worstMs });
  expect(violations).toEqual([expect.stringMatching(text)]);
});
