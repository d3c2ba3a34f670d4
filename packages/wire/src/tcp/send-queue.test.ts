import fc from "fast-check";
import { expect, it } from "vitest";

import { SendQueue } from "./send-queue.ts";

it("gives out the bytes of any place until they are acknowledged, in blocks that are used again", () => {
  const anyStep = fc.record({ write: fc.nat(40_000), read: fc.nat(), ack: fc.nat(30_000) });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
      const queue = new SendQueue(100_000);
      let una = 1;
      for (const { write, read, ack } of steps) {
        const bytes = Uint8Array.from({ length: write }, (_, at) => (queue.end + at) * 13);
        queue.write(bytes);
        bytes.fill(0);
        una = Math.min(queue.end, una + ack);
        queue.acknowledge(una);
        const start = una + (read % (queue.length + 1));
        const length = Math.min(1220, queue.end - start);
        const packet = new Uint8Array(1300);
        queue.copyTo(packet, 80, start, length);
        const wanted = Uint8Array.from({ length }, (_, at) => (start + at) * 13);
        expect(packet.subarray(80, 80 + length)).toEqual(wanted);
      }
    }),
    { numRuns: 50 },
  );
});

it("takes no more than there is room for, and tells when there is half of it again", () => {
  const queue = new SendQueue(1000);
  expect(queue.write(new Uint8Array(600))).toBe(600);
  expect(queue.takeWritable()).toBe(false);
  expect(queue.write(new Uint8Array(600))).toBe(400);
  expect(queue.room).toBe(0);
  queue.acknowledge(1 + 499);
  expect(queue.takeWritable()).toBe(false);
  queue.acknowledge(1 + 500);
  expect(queue.takeWritable()).toBe(true);
  expect(queue.takeWritable()).toBe(false);
});

it("grows with the congestion window", () => {
  const queue = new SendQueue(4_000_000);
  expect(queue.room).toBe(256 * 1024);
  queue.adapt(500_000.5);
  expect(queue.room).toBe(1_000_000);
  queue.adapt(10);
  expect(queue.room).toBe(1_000_000);
  queue.adapt(50_000_000);
  expect(queue.room).toBe(4_000_000);
});
