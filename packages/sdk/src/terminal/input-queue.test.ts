import { expect, it } from "vitest";

import { InputQueue } from "./input-queue.ts";

function typed(...texts: readonly string[]): InputQueue {
  const queue = new InputQueue();
  for (const text of texts) queue.add(text);
  return queue;
}

it("numbers what is typed, and keeps what is not known to be taken", () => {
  const queue = typed("a", "b", "c");
  queue.confirm(2);
  expect(queue.waiting).toEqual([{ data: "c", number: 3 }]);
  expect(queue.add("d")).toEqual({ data: "d", number: 4 });
});

it("drops what may have reached a terminal that cannot tell", () => {
  const queue = typed("a", "b", "c");
  queue.noteSent(2);
  queue.noteSent(1);
  queue.dropSent();
  expect(queue.waiting).toEqual([{ data: "c", number: 3 }]);
});

it("takes no more than its limit", () => {
  const queue = typed("x".repeat(1024 * 1024 - 1));
  expect(queue.add("yz")).toBeUndefined();
  expect(queue.add("y")).toMatchObject({ number: 2 });
  queue.confirm(1);
  expect(queue.add("x".repeat(1024 * 1024))).toBeUndefined();
  expect(queue.add("z")).toMatchObject({ number: 3 });
});
