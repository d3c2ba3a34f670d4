import { setImmediate as nextTurn } from "node:timers/promises";

import { expect, it } from "vitest";

import { LoopTurn } from "./loop-turn.ts";

it("is over after its time, and begins anew with the next turn of the event loop", async () => {
  let now = 0;
  const turn = new LoopTurn(5, () => now);
  expect(turn.isOver).toBe(false);
  now = 4.9;
  expect(turn.isOver).toBe(false);
  now = 5;
  expect(turn.isOver).toBe(true);
  await nextTurn();
  expect(turn.isOver).toBe(false);
});

it("counts from its first piece of work, not from the work of a turn before", async () => {
  let now = 0;
  const turn = new LoopTurn(5, () => now);
  expect(turn.isOver).toBe(false);
  await nextTurn();
  now = 100;
  expect(turn.isOver).toBe(false);
  now = 105;
  expect(turn.isOver).toBe(true);
});

it("asks for its time at the beginning of each turn", async () => {
  let now = 0;
  let maxMs = 5;
  const turn = new LoopTurn(
    () => maxMs,
    () => now,
  );
  expect(turn.isOver).toBe(false);
  maxMs = 20;
  now = 5;
  expect(turn.isOver).toBe(true);
  await nextTurn();
  expect(turn.isOver).toBe(false);
  now = 24;
  expect(turn.isOver).toBe(false);
  now = 25;
  expect(turn.isOver).toBe(true);
});
