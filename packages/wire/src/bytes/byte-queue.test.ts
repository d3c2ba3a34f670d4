import fc from "fast-check";
import { expect, it } from "vitest";

import { ByteQueue } from "./byte-queue.ts";
import { joinBytes } from "./join.ts";

it("gives the bytes back in order, whatever is pushed and taken", () => {
  const step = fc.record({ push: fc.uint8Array({ maxLength: 20 }), take: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new ByteQueue();
      let model: number[] = [];
      for (const action of steps) {
        queue.push(action.push);
        model.push(...action.push);
        expect([...joinBytes(queue.take(action.take))]).toEqual(model.slice(0, action.take));
        model = model.slice(action.take);
        expect(queue.length).toBe(model.length);
      }
    }),
  );
});

it("returns the pushed array itself when all of it is taken", () => {
  const queue = new ByteQueue();
  const bytes = Uint8Array.of(1, 2, 3);
  queue.push(bytes);
  expect(queue.take(3)[0]).toBe(bytes);
});

it("is empty after clear", () => {
  const queue = new ByteQueue();
  queue.push(Uint8Array.of(1));
  queue.clear();
  expect(queue.length).toBe(0);
  expect(queue.take(1)).toEqual([]);
});
