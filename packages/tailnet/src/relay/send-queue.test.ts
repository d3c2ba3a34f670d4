import fc from "fast-check";
import { expect, it } from "vitest";

import { SendQueue } from "./send-queue.ts";

function textOf(pieces: readonly Uint8Array[]): string {
  return pieces.map((piece) => Buffer.from(piece).toString()).join("");
}

it("gives frames in order, in batches, and neighbors of one buffer as one piece", () => {
  const queue = new SendQueue(100);
  const bytes = Buffer.from("abcdefgh");
  for (let at = 0; at < 8; at += 2) queue.push(bytes.subarray(at, at + 2));
  queue.push(Uint8Array.from(Buffer.from("ij")));
  const first = queue.take(6);
  expect([first.length, textOf(first)]).toEqual([1, "abcdef"]);
  const second = queue.take(100);
  expect([second.length, textOf(second)]).toEqual([2, "ghij"]);
  expect([queue.bytes, queue.take(100)]).toEqual([0, []]);
});

it("gives a frame that is larger than a batch alone", () => {
  const queue = new SendQueue(100);
  queue.push(Buffer.from("abcdef"));
  queue.push(Buffer.from("gh"));
  expect(textOf(queue.take(4))).toBe("abcdef");
  expect(textOf(queue.take(4))).toBe("gh");
});

it("loses the oldest frames when it is full", () => {
  const queue = new SendQueue(6);
  for (const text of ["aa", "bb", "cc", "dd", "ee"]) queue.push(Buffer.from(text));
  expect([queue.bytes, queue.dropped, textOf(queue.take(100))]).toEqual([6, 2, "ccddee"]);
});

it("never holds more than its limit, and gives the newest frames in order", () => {
  const frames = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3_000 });
  fc.assert(
    fc.property(frames, fc.integer({ min: 40, max: 500 }), (lengths, limit) => {
      const queue = new SendQueue(limit);
      const taken: number[] = [];
      for (const [index, length] of lengths.entries()) {
        queue.push(new Uint8Array(length).fill(index % 251));
        expect(queue.bytes).toBeLessThanOrEqual(limit);
        if (index % 7 === 0) taken.push(...queue.take(60).map((piece) => piece.length));
      }
      taken.push(...queue.take(Infinity).map((piece) => piece.length));
      const total = lengths.reduce((sum, length) => sum + length, 0);
      const sent = taken.reduce((sum, length) => sum + length, 0);
      expect(queue.bytes).toBe(0);
      expect(queue.dropped === 0 ? sent === total : sent < total).toBe(true);
    }),
    { numRuns: 50 },
  );
});
