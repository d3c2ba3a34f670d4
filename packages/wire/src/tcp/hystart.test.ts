import { expect, it } from "vitest";

import { HyStart } from "./hystart.ts";

const segment = 1000;

/** Runs rounds of `acks` ACKs of one segment with the given RTTs; returns the growth of the last ACK. */
function run(hystart: HyStart, rttsMs: readonly number[], acks = 10): number {
  let growth = 0;
  for (const [round, rttMs] of rttsMs.entries()) {
    const start = 1 + round * acks * segment;
    for (let ack = 0; ack < acks; ack += 1) {
      const una = start + ack * segment;
      growth = hystart.acknowledged(una, start + acks * segment, segment, rttMs);
    }
  }
  return growth;
}

it("grows by what is acknowledged as long as the RTT stays", () => {
  const hystart = new HyStart({ bytes: segment });
  expect(run(hystart, Array(20).fill(20))).toBe(segment);
  expect(hystart.isDone).toBe(false);
});

it("grows by no more than eight segments for one ACK", () => {
  expect(new HyStart({ bytes: segment }).acknowledged(1, 2, 100 * segment, 20)).toBe(8 * segment);
});

it("grows by a quarter once the RTT has risen, and ends after five rounds", () => {
  const hystart = new HyStart({ bytes: segment });
  expect(run(hystart, [20, 20, 25])).toBe(segment / 4);
  expect(hystart.isDone).toBe(false);
  const rounds = [20, 20, 25, 25, 25, 25, 25];
  const before = new HyStart({ bytes: segment });
  run(before, rounds);
  expect(before.isDone).toBe(false);
  const after = new HyStart({ bytes: segment });
  run(after, [...rounds, 25]);
  expect(after.isDone).toBe(true);
});

it("goes on if the rise was a passing one", () => {
  const hystart = new HyStart({ bytes: segment });
  expect(run(hystart, [20, 20, 25, 20, 20, 20, 20, 20, 20])).toBe(segment);
  expect(hystart.isDone).toBe(false);
});

it("takes no notice of a rise below the threshold of 4 to 16 ms", () => {
  for (const [before, after] of [
    [20, 23.9],
    [100, 112],
    [400, 415],
  ] as const) {
    expect(run(new HyStart({ bytes: segment }), [before, before, after])).toBe(segment);
  }
});

it("takes no notice of fewer than eight samples", () => {
  expect(run(new HyStart({ bytes: segment }), [20, 20, 60], 7)).toBe(segment);
});
