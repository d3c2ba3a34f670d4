import { expect, it } from "vitest";

import { Rotation } from "./rotation.ts";

function open(items: readonly string[]) {
  const rotation = new Rotation<string>();
  for (const item of items) rotation.add(item.slice(0, 1), item);
  return rotation;
}

function takeAll(rotation: Rotation<string>): readonly string[] {
  const taken: string[] = [];
  rotation.take(
    () => "take",
    (item) => taken.push(item),
  );
  return taken;
}

it("takes one item of each owner in turn, each owner's in their order", () => {
  const rotation = open(["a1", "a2", "a3", "b1", "c1", "c2"]);
  expect(rotation.isEmpty).toBe(false);
  expect(takeAll(rotation)).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
  expect(rotation.isEmpty).toBe(true);
});

it("continues with the owner whose turn is next", () => {
  const rotation = open(["a1", "a2", "b1", "c1"]);
  const taken: string[] = [];
  rotation.take(
    () => (taken.length === 2 ? "stop" : "take"),
    (item) => taken.push(item),
  );
  expect(taken).toEqual(["a1", "b1"]);
  expect([...rotation.owners()]).toEqual(["c", "a"]);
  rotation.add("b", "b2");
  expect(takeAll(rotation)).toEqual(["c1", "a2", "b2"]);
});

it("passes over an owner who has to wait, and keeps their place", () => {
  const rotation = open(["a1", "b1", "b2", "c1"]);
  const taken: string[] = [];
  rotation.take(
    (owner) => (owner === "b" ? "wait" : "take"),
    (item) => taken.push(item),
  );
  expect(taken).toEqual(["a1", "c1"]);
  rotation.add("a", "a2");
  expect(takeAll(rotation)).toEqual(["b1", "a2", "b2"]);
});

it("forgets items that are removed, and takes those that arrive while others are used", () => {
  const rotation = open(["a1", "a2", "b1"]);
  rotation.remove("a", "a1");
  rotation.remove("b", "b1");
  rotation.remove("c", "c1");
  expect([...rotation.owners()]).toEqual(["a"]);
  const taken: string[] = [];
  rotation.take(
    () => "take",
    (item) => {
      taken.push(item);
      if (item === "a2") rotation.add("a", "a3");
    },
  );
  expect(taken).toEqual(["a2", "a3"]);
  expect(rotation.isEmpty).toBe(true);
});
