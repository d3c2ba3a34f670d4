import fc from "fast-check";
import { expect, it } from "vitest";

import { WakeQueue, type Sleeper } from "./wake-queue.ts";

function sleeper(): Sleeper {
  return { queueIndex: -1, queuedFor: 0 };
}

it("takes sleepers in the order of their time, each once", () => {
  const anyStep = fc.record({ who: fc.nat(9), at: fc.nat(50), isRemoved: fc.boolean() });
  fc.assert(
    fc.property(fc.array(anyStep), (steps) => {
      const queue = new WakeQueue();
      const sleepers = Array.from({ length: 10 }, sleeper);
      const times = new Map<Sleeper, number>();
      for (const { who, at, isRemoved } of steps) {
        const one = sleepers[who] ?? sleeper();
        if (isRemoved) {
          queue.remove(one);
          times.delete(one);
        } else {
          queue.schedule(one, at);
          times.set(one, Math.min(at, times.get(one) ?? at));
        }
        expect(queue.next).toBe(times.size === 0 ? undefined : Math.min(...times.values()));
      }
      const taken: number[] = [];
      for (let one = queue.takeDue(50); one !== undefined; one = queue.takeDue(50)) {
        taken.push(times.get(one) ?? -1);
      }
      expect(taken).toEqual([...times.values()].toSorted((a, b) => a - b));
    }),
  );
});

it("keeps a sleeper whose time has not come", () => {
  const queue = new WakeQueue();
  const one = sleeper();
  queue.schedule(one, 10);
  expect(queue.takeDue(9)).toBeUndefined();
  expect(queue.takeDue(10)).toBe(one);
  expect(queue.size).toBe(0);
});

it("leaves a sleeper where it is when its time moves on", () => {
  const queue = new WakeQueue();
  const one = sleeper();
  queue.schedule(one, 10);
  queue.schedule(one, 20);
  expect(queue.next).toBe(10);
});
