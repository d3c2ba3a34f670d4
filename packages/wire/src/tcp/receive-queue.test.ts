import fc from "fast-check";
import { expect, it } from "vitest";

import { joinBytes } from "../bytes/join.ts";
import { maxOutOfOrderRanges, ReceiveQueue } from "./receive-queue.ts";

const length = 50_000;
const data = Uint8Array.from({ length }, (_, at) => at * 7 + (at >>> 8));

function insert(queue: ReceiveQueue, start: number, end: number): string {
  return queue.insert(1 + start, data, start, end);
}

function readAll(queue: ReceiveQueue): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let part = queue.peek(); part !== undefined; part = queue.peek()) {
    parts.push(part);
    queue.consume(part.length);
  }
  return joinBytes(parts);
}

it("tells what became of each segment", () => {
  const queue = new ReceiveQueue(1);
  expect(insert(queue, 0, 10)).toBe("in-order");
  expect(insert(queue, 20, 30)).toBe("out-of-order");
  expect(insert(queue, 22, 28)).toBe("duplicate");
  expect(insert(queue, 0, 10)).toBe("duplicate");
  expect(insert(queue, 5, 25)).toBe("in-order");
  expect(queue.next).toBe(31);
  expect(readAll(queue)).toEqual(data.subarray(0, 30));
});

it("keeps the bytes that came first", () => {
  const queue = new ReceiveQueue(1);
  insert(queue, 5, 10);
  queue.insert(1, new Uint8Array(20), 0, 20);
  const expected = new Uint8Array(20);
  expected.set(data.subarray(5, 10), 5);
  expect(readAll(queue)).toEqual(expected);
});

it("gives out the same bytes, in whatever pieces and order they come", () => {
  const anyPiece = fc.tuple(fc.nat(length - 1), fc.integer({ min: 1, max: 9000 }));
  fc.assert(
    fc.property(fc.array(anyPiece, { maxLength: 40 }), fc.nat(5), (pieces, pause) => {
      const queue = new ReceiveQueue(1);
      const read: Uint8Array[] = [];
      for (const [at, [start, size]] of pieces.entries()) {
        insert(queue, start, Math.min(length, start + size));
        if (at % (pause + 1) === 0) read.push(readAll(queue));
      }
      for (let start = 0; start < length; start += 1000) insert(queue, start, start + 1000);
      read.push(readAll(queue));
      expect(Buffer.compare(joinBytes(read), data)).toBe(0);
      expect(queue.outOfOrder.size).toBe(0);
    }),
    { numRuns: 50 },
  );
});

it("does not change what was read", () => {
  const queue = new ReceiveQueue(1);
  insert(queue, 0, 100);
  const view = queue.peek();
  queue.consume(100);
  insert(queue, 100, 20_000);
  readAll(queue);
  insert(queue, 20_000, 40_000);
  expect(view).toEqual(data.subarray(0, 100));
});

it("refuses data that would make one gap too many, until there are fewer", () => {
  const queue = new ReceiveQueue(1);
  for (let gap = 0; gap < maxOutOfOrderRanges; gap += 1) {
    expect(insert(queue, 2 * gap + 1, 2 * gap + 2)).toBe("out-of-order");
  }
  const next = 2 * maxOutOfOrderRanges + 1;
  expect(insert(queue, next, next + 1)).toBe("refused");
  expect(insert(queue, 2, 3)).toBe("out-of-order");
  expect(insert(queue, next, next + 1)).toBe("out-of-order");
  expect(insert(queue, 0, 1)).toBe("in-order");
});

it("holds whole blocks, each until all of it is consumed", () => {
  const block = 16 * 1024;
  const queue = new ReceiveQueue(0);
  const take = (start: number, end: number): void => void queue.insert(start, data, start, end);
  expect(queue.heldBytes).toBe(0);
  take(0, 1);
  take(2 * block, 2 * block + 1);
  expect(queue.heldBytes).toBe(2 * block);
  take(0, 2 * block);
  expect(queue.heldBytes).toBe(3 * block);
  queue.consume(block - 1);
  expect(queue.heldBytes).toBe(3 * block);
  queue.consume(1);
  expect(queue.heldBytes).toBe(2 * block);
  queue.consume(block + 1);
  expect(queue.heldBytes).toBe(block);
});
