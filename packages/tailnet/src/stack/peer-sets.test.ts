import { expect, it } from "vitest";

import { PeerSets } from "./peer-sets.ts";

const [one, other] = [Uint8Array.of(1, 2), Uint8Array.of(1, 3)];

it("counts by peer, and finds the oldest of the busiest", () => {
  const sets = new PeerSets<string>();
  expect(sets.oldestOfBusiest()).toBeUndefined();
  sets.add(one, "a");
  sets.add(other, "b");
  sets.add(other, "c");
  expect([sets.size, sets.count(one), sets.count(other.slice())]).toEqual([3, 1, 2]);
  expect(sets.oldestOfBusiest()).toBe("b");
  sets.remove(other, "b");
  sets.remove(other, "b");
  sets.remove(one, "c");
  expect([sets.size, sets.list()]).toEqual([2, ["a", "c"]]);
  sets.clear();
  expect([sets.size, sets.count(one)]).toEqual([0, 0]);
});
