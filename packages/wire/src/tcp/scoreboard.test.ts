import fc from "fast-check";
import { expect, it } from "vitest";

import { Scoreboard } from "./scoreboard.ts";
import { SentSegment } from "./sent-segment.ts";

/** A board with `count` segments of 10 from offset 0, sent one after the other, and its reports. */
function boardOf(count: number): { board: Scoreboard; delivered: number[]; all: SentSegment[] } {
  const delivered: number[] = [];
  const board = new Scoreboard((segment) => delivered.push(segment.start));
  const all = Array.from(
    { length: count },
    (_, at) => new SentSegment(at * 10, at * 10 + 10, false, at),
  );
  for (const segment of all) board.sent(segment);
  return { board, delivered, all };
}

it("drops what is acknowledged and trims what is in part", () => {
  const { board, delivered } = boardOf(5);
  board.acknowledge(25, 0);
  expect(delivered).toEqual([0, 10]);
  expect(board.first).toMatchObject({ start: 25, end: 30 });
  expect(board.flyingBytes).toBe(25);
});

it("reports each segment once, sacked or acknowledged", () => {
  const { board, delivered } = boardOf(5);
  board.sack(20, 40, 0);
  board.sack(20, 50, 0);
  expect(delivered).toEqual([20, 30, 40]);
  expect(board.sackedBytes).toBe(30);
  board.acknowledge(50, 0);
  expect(delivered).toEqual([20, 30, 40, 0, 10]);
  expect([board.sackedBytes, board.flyingBytes, board.size]).toEqual([0, 0, 0]);
});

it("takes a segment as sacked only when all of it is, even by two reports", () => {
  const { board, delivered } = boardOf(3);
  board.sack(10, 15, 0);
  expect(delivered).toEqual([]);
  board.sack(15, 20, 0);
  expect(delivered).toEqual([10]);
});

it("finds the first lost segment, also after others were sent again", () => {
  const { board, all } = boardOf(6);
  for (const at of [4, 2, 3]) board.lose(all[at] ?? new SentSegment(0, 0, false, 0));
  expect(board.firstLost()?.start).toBe(20);
  board.sentAgain(all[2] ?? new SentSegment(0, 0, false, 0), 9);
  expect(board.firstLost()?.start).toBe(30);
  board.acknowledge(35, 0);
  expect(board.firstLost()?.start).toBe(35);
  expect(board.flyingBytes).toBe(10);
});

it("keeps the order of the latest transmissions", () => {
  const { board, all } = boardOf(4);
  board.sentAgain(all[1] ?? new SentSegment(0, 0, false, 0), 9);
  const order: number[] = [];
  for (let at = board.longestInFlight; at !== undefined; at = at.later) order.push(at.start);
  expect(order).toEqual([0, 20, 30, 10]);
});

it("takes what was reported for lost when the reports are forgotten", () => {
  const { board } = boardOf(4);
  board.sack(0, 10, 0);
  board.sack(20, 30, 0);
  board.forgetSacks();
  expect(board.firstLost()?.start).toBe(0);
  expect(board.sackedSegments).toBe(0);
  expect(board.flyingBytes).toBe(20);
});

it("cuts a segment in two that were sent when it was", () => {
  const { board, all } = boardOf(3);
  const [, second] = all;
  if (second === undefined) throw new Error("no second segment");
  const rest = board.split(second, 14);
  expect([second.start, second.end, rest.start, rest.end]).toEqual([10, 14, 14, 20]);
  expect([rest.sentAt, rest.state, board.flyingBytes, board.size]).toEqual([1, "flying", 30, 4]);
  const order: number[] = [];
  for (let at = board.longestInFlight; at !== undefined; at = at.later) order.push(at.start);
  expect(order).toEqual([0, 10, 14, 20]);
});

it("leaves the FIN with the last part of a segment", () => {
  const whole = new SentSegment(0, 11, true, 0);
  const rest = whole.split(6);
  expect([whole.hasFin, whole.payloadBytes]).toEqual([false, 6]);
  expect([rest.hasFin, rest.payloadBytes, rest.payloadEnd]).toEqual([true, 4, 10]);
});

it("has sums that fit its segments, whatever happens", () => {
  const anyStep = fc.record({
    kind: fc.constantFrom("send", "ack", "sack", "lose", "again", "forget", "forgive", "split"),
    from: fc.nat(400),
    length: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 80 }), (steps) => {
      const delivered = new Set<SentSegment>();
      let twice = 0;
      const board = new Scoreboard((segment) => {
        if (delivered.has(segment)) twice += 1;
        delivered.add(segment);
      });
      const all: SentSegment[] = [];
      let una = 0;
      let end = 0;
      for (const [now, { kind, from, length }] of steps.entries()) {
        const flying = all.filter(({ state, end: last }) => state === "flying" && last > una);
        const one = flying[from % Math.max(1, flying.length)];
        if (kind === "send") {
          const segment = new SentSegment(end, end + length, false, now);
          all.push(segment);
          board.sent(segment);
          end += length;
        } else if (kind === "ack") {
          una = Math.min(end, una + length);
          board.acknowledge(una, 0);
        } else if (kind === "sack") {
          const start = una + (from % Math.max(1, end - una));
          if (start < end) board.sack(start, Math.min(end, start + length), now);
        } else if (kind === "lose") {
          if (one !== undefined) board.lose(one);
        } else if (kind === "again") {
          const lost = board.firstLost();
          if (lost !== undefined) board.sentAgain(lost, now);
        } else if (kind === "split") {
          const cut = all.filter((segment) => segment.end > una && segment.length > 1);
          const whole = cut[from % Math.max(1, cut.length)];
          if (whole === undefined) continue;
          const rest = board.split(whole, whole.start + 1 + (from % (whole.length - 1)));
          all.splice(all.indexOf(whole) + 1, 0, rest);
        } else if (kind === "forgive") board.forgiveLosses(now);
        else {
          board.forgetSacks();
          delivered.clear();
        }
        const left = all.filter((segment) => segment.end > una);
        const sum = (state: string) =>
          left
            .filter((segment) => segment.state === state)
            .reduce((bytes, s) => bytes + s.length, 0);
        expect(board.flyingBytes).toBe(sum("flying"));
        expect(board.sackedBytes).toBe(sum("sacked"));
        expect(board.size).toBe(left.length);
        expect(board.hasLost).toBe(sum("lost") > 0);
        expect(board.firstLost()).toBe(left.find((segment) => segment.state === "lost"));
        const order: SentSegment[] = [];
        for (let at = board.longestInFlight; at !== undefined; at = at.later) order.push(at);
        expect(order.length).toBe(left.filter((segment) => segment.state === "flying").length);
      }
      expect(twice).toBe(0);
    }),
    { numRuns: 300 },
  );
});
