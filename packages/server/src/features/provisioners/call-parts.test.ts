import { expect, it } from "vitest";

import { CallParts, largeStateBytes, PartBudget, usualSizes } from "./call-parts.ts";
import type { PieceMessage } from "./session-messages.ts";

const piece = (part: PieceMessage["part"], bytes: number): PieceMessage => ({
  type: "piece",
  call: "one",
  part,
  data: Buffer.alloc(bytes).toString("base64"),
});
const open = (budget: PartBudget): CallParts => new CallParts(budget, usualSizes);

it("gives bytes back that are taken out, or not needed any more", () => {
  const budget = new PartBudget({ maxBytes: 10, maxRooms: 1 });
  const first = open(budget);
  const second = open(budget);
  expect(first.add(piece("state", 6))).toBeUndefined();
  expect(second.add(piece("result", 6))).toContain("too much");
  expect(first.take("state")).toHaveLength(6);
  expect(second.add(piece("result", 6))).toBeUndefined();
  second[Symbol.dispose]();
  expect(first.add(piece("state", 10))).toBeUndefined();
});

it("takes a large state with room alone, which does not count in the bytes", () => {
  const budget = new PartBudget({ maxBytes: 10, maxRooms: 1 });
  const parts = open(budget);
  expect(parts.takeRoom(0, () => undefined)).toBe(true);
  expect(parts.add(piece("state", largeStateBytes))).toBeUndefined();
  expect(parts.add(piece("state", 1))).toContain("more than 67108864 bytes");
  expect(parts.add(piece("result", 11))).toContain("too much");
  expect(parts.take("state")).toHaveLength(largeStateBytes);
  expect(open(budget).takeRoom(0, () => undefined)).toBe(false);
  parts.leaveRoom();
  expect(parts.add(piece("state", usualSizes.state + 1))).toContain("more than 16777216 bytes");
});

it("drops what came into a room that is left", () => {
  const parts = open(new PartBudget({ maxBytes: 10, maxRooms: 1 }));
  parts.takeRoom(0, () => undefined);
  parts.add(piece("state", 20));
  parts.leaveRoom();
  expect(parts.take("state")).toBeUndefined();
});

it("takes room back after five minutes, when another call needs it", () => {
  const budget = new PartBudget({ maxBytes: 10, maxRooms: 1 });
  const overdue: string[] = [];
  const first = open(budget);
  expect(first.takeRoom(0, () => overdue.push("first"))).toBe(true);
  expect(open(budget).takeRoom(300_000, () => overdue.push("second"))).toBe(false);
  expect(open(budget).takeRoom(300_001, () => overdue.push("third"))).toBe(true);
  expect(overdue).toEqual(["first"]);
  // The first one gives back nothing that is another's by now.
  first.leaveRoom();
  expect(open(budget).takeRoom(300_002, () => overdue.push("fourth"))).toBe(false);
});
