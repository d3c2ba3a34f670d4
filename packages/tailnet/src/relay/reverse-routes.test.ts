import { expect, it } from "vitest";

import { ReverseRoutes } from "./reverse-routes.ts";

function key(number: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

it("knows where a peer was heard last, and forgets only that", () => {
  const routes = new ReverseRoutes();
  routes.note(key(1), 5);
  routes.note(key(1), 6);
  routes.forget(key(1), 5);
  expect(routes.find(key(1))).toBe(6);
  routes.forget(key(1), 6);
  expect(routes.find(key(1))).toBeUndefined();
});

it("forgets the oldest of very many peers", () => {
  const routes = new ReverseRoutes();
  for (let number = 0; number < 16_385; number += 1) routes.note(key(number), 1);
  expect([routes.find(key(0)), routes.find(key(1)), routes.find(key(16_384))]).toEqual([
    undefined,
    1,
    1,
  ]);
});
