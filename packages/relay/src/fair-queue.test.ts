import { joinBytes } from "@slipway/wire/bytes/join";
import { encodeDerpFrame } from "@slipway/wire/derp/frame";
import fc from "fast-check";
import { expect, it } from "vitest";

import { FairQueue, runCostBytes } from "./fair-queue.ts";

function frame(text: string): Uint8Array {
  const source = new Uint8Array(32);
  return encodeDerpFrame({ type: "recv-packet", source, packet: Buffer.from(text) });
}

/** Adds frames that share one array, like the frames of a chunk. */
function pushAll(queue: FairQueue, flow: string, texts: readonly string[]): void {
  const frames = texts.map(frame);
  const bytes = joinBytes([...frames, new Uint8Array(1)]);
  let at = 0;
  for (const { length } of frames) {
    queue.push(flow, bytes, at, at + length);
    at += length;
  }
}

/** Returns the texts of dequeued frames. */
function textsOf(pieces: readonly Uint8Array[]): readonly string[] {
  const bytes = Buffer.from(joinBytes([...pieces, new Uint8Array(0)]));
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    texts.push(bytes.toString("utf8", at + 37, end));
    at = end;
  }
  return texts;
}

it("sends consecutive frames of a chunk as one piece, without a copy", () => {
  const queue = new FairQueue();
  pushAll(queue, "a", ["1", "2", "3"]);
  const pieces = queue.take(1_000);
  expect(pieces).toHaveLength(1);
  expect(textsOf(pieces)).toEqual(["1", "2", "3"]);
  expect(queue.cost).toBe(0);
});

it("lets flows take turns", () => {
  const queue = new FairQueue();
  const many = Array.from({ length: 30 }, (_, index) => `${index}`.padEnd(1_000));
  pushAll(queue, "a", many);
  pushAll(queue, "b", ["b"]);
  const texts = textsOf(queue.take(1_000_000));
  expect(texts).toHaveLength(31);
  expect(texts.indexOf("b")).toBeLessThan(10);
});

it("drops the oldest frame of the largest flow", () => {
  const queue = new FairQueue();
  pushAll(queue, "small", ["kept"]);
  pushAll(queue, "large", ["oldest", "older", "old", "new"]);
  const dropped = queue.shrink(queue.cost - 50);
  expect(dropped).toBe(2);
  expect(textsOf(queue.take(10_000)).toSorted()).toEqual(["kept", "new", "old"]);
});

it("holds no chunk for the sake of a small frame", () => {
  const queue = new FairQueue();
  const chunk = Buffer.alloc(65_536);
  chunk.set(frame("small"), 500);
  queue.push("a", chunk, 500, 542);
  queue.settle();
  const [piece] = queue.take(100);
  expect(piece?.buffer.byteLength).toBe(42);
  expect(textsOf(piece ? [piece] : [])).toEqual(["small"]);
});

it("keeps the order of each flow and its own count, whatever is added, dropped and taken", () => {
  const push = fc.record({
    type: fc.constant("push" as const),
    flow: fc.constantFrom("a", "b", "c"),
    sizes: fc.array(fc.nat(3_000), { minLength: 1, maxLength: 5 }),
  });
  const other = fc.record({
    type: fc.constantFrom("take" as const, "shrink" as const, "settle" as const),
    bytes: fc.nat(10_000),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(push, other), { maxLength: 40 }), (steps) => {
      const queue = new FairQueue();
      const taken: string[] = [];
      let number = 1_000;
      let added = 0;
      let dropped = 0;
      let isBounded = true;
      for (const step of steps) {
        if (step.type === "push") {
          const texts = step.sizes.map((size) => {
            number += 1;
            return `${step.flow}${number}`.padEnd(5 + size);
          });
          pushAll(queue, step.flow, texts);
          added += texts.length;
        } else if (step.type === "take") {
          taken.push(...textsOf(queue.take(step.bytes)));
        } else if (step.type === "shrink") {
          dropped += queue.shrink(step.bytes);
          isBounded &&= queue.cost <= step.bytes;
        } else queue.settle();
      }
      taken.push(...textsOf(queue.take(Infinity)));
      expect(isBounded).toBe(true);
      expect(queue.cost).toBe(0);
      expect(taken.length + dropped).toBe(added);
      for (const flow of ["a", "b", "c"]) {
        const own = taken.filter((text) => text.startsWith(flow)).map((text) => text.slice(1, 5));
        expect(own).toEqual(own.toSorted());
      }
    }),
  );
});

it("counts each run with the cost of keeping it", () => {
  const queue = new FairQueue();
  pushAll(queue, "a", ["", ""]);
  expect(queue.cost).toBe(2 * 37 + runCostBytes);
});
