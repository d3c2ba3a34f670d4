import { expect, it } from "vitest";

import { Rack } from "./rack.ts";
import { Scoreboard } from "./scoreboard.ts";
import { SentSegment } from "./sent-segment.ts";

const path = { isRecovering: false, lowestRttMs: 100, smoothedRttMs: 100 };

/** A board of segments of 10 bytes, sent 1 ms after one another, and the number of times that RACK has examined one. */
function boardOf(count: number) {
  const rack = new Rack();
  const board = new Scoreboard((segment, now) => rack.delivered(segment, false, 100, now));
  const counts = { looks: 0 };
  for (let index = 0; index < count; index += 1) {
    const segment = new SentSegment(index * 10, index * 10 + 10, false, index);
    Object.defineProperty(segment, "sentAt", {
      get: () => {
        counts.looks += 1;
        return index;
      },
    });
    board.sent(segment);
  }
  return { rack, board, counts };
}

it("waits a quarter of the lowest RTT for what was overtaken, and then for the next", () => {
  const { rack, board } = boardOf(4);
  board.sack(30, 40, 103);
  expect(rack.detectLosses(board, path, 103)).toBe(0);
  expect(rack.deadline).toBe(125);
  expect(rack.detectLosses(board, path, 125)).toBe(10);
  expect(rack.deadline).toBe(126);
  expect(rack.detectLosses(board, path, 127)).toBe(20);
  expect(rack.deadline).toBe(Number.POSITIVE_INFINITY);
});

it("waits for nothing once three are reported, unless it has seen reordering", () => {
  const { rack, board } = boardOf(5);
  board.sack(20, 50, 104);
  expect(rack.detectLosses(board, path, 104)).toBe(20);
  const other = boardOf(5);
  other.board.sack(30, 50, 104);
  other.board.sack(20, 30, 104);
  expect(other.rack.detectLosses(other.board, path, 104)).toBe(0);
});

it("looks at few of many segments for each report of a peer that leaves holes", () => {
  const { rack, board, counts } = boardOf(10_000);
  const rtt = { isRecovering: false, lowestRttMs: 50_000, smoothedRttMs: 50_000 };
  for (let hole = 1; hole < 1000; hole += 1) {
    const start = (10_000 - 2 * hole) * 10;
    board.sack(start, start + 10, 60_000);
    rack.detectLosses(board, rtt, 60_000);
  }
  expect(counts.looks).toBeLessThan(20_000);
});
