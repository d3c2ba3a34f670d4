import { expect, it } from "vitest";

import { turnMs, Turns, type Work } from "./turns.ts";

/** Turns that a test ends, on a clock that only work advances. */
function openTurns() {
  let nowMs = 0;
  const ends: (() => void)[] = [];
  const turns = new Turns({ monotonic: () => nowMs }, (act) => ends.push(act));
  const log: string[] = [];
  /** Creates work of several items, each of which takes half a turn. */
  const work = (name: string, pieces: number): Work => ({
    work: () => {
      pieces -= 1;
      nowMs += turnMs / 2;
      log.push(name);
      return pieces > 0;
    },
  });
  const receiver = (name: string, ms: number) => ({
    flush: () => {
      nowMs += ms;
      log.push(name);
    },
  });
  /** Ends the turn; returns its duration, and the completed work. */
  const end = (): { readonly ms: number; readonly done: readonly string[] } => {
    const began = nowMs;
    log.length = 0;
    for (const act of ends.splice(0)) act();
    return { ms: nowMs - began, done: [...log] };
  };
  return { turns, work, receiver, end, log };
}

it("does work at once while the turn lasts, and the rest in further turns", () => {
  const { turns, work, end, log } = openTurns();
  expect(turns.start(work("a", 5))).toBe(false);
  expect(log).toEqual(["a", "a"]);
  expect(end()).toEqual({ ms: turnMs, done: ["a", "a"] });
  expect(end()).toEqual({ ms: turnMs / 2, done: ["a"] });
  expect(end().done).toEqual([]);
});

it("counts the work of all events of a turn together", () => {
  const { turns, work, log } = openTurns();
  expect([turns.start(work("a", 1)), turns.start(work("b", 1)), turns.start(work("c", 1))]).toEqual(
    [true, true, false],
  );
  expect(log).toEqual(["a", "b"]);
});

it("gives each work a piece in its order, whoever was first", () => {
  const { turns, work, end } = openTurns();
  turns.start(work("a", 6));
  turns.start(work("b", 2));
  turns.start(work("c", 2));
  expect([end().done, end().done, end().done, end().done]).toEqual([
    ["a", "b"],
    ["c", "a"],
    ["b", "c"],
    ["a", "a"],
  ]);
});

it("flushes each receiver once at the end of a turn, however often something was added", () => {
  const { turns, receiver, end, log } = openTurns();
  const [one, other] = [receiver("one", 0), receiver("other", 0)];
  expect([turns.send(one), turns.send(other), turns.send(one)]).toEqual([true, true, false]);
  expect(log).toEqual([]);
  expect(end().done).toEqual(["one", "other"]);
  expect(turns.send(one)).toBe(true);
});

it("goes on with receivers in further turns, and adds nothing to them meanwhile", () => {
  const { turns, work, receiver, end } = openTurns();
  for (let count = 0; count < 20; count += 1) turns.send(receiver("r", turnMs / 8));
  expect(end()).toEqual({ ms: turnMs, done: Array.from({ length: 8 }, () => "r") });
  expect(turns.start(work("late", 1))).toBe(false);
  expect(end().done).toHaveLength(8);
  expect(end().done).toEqual(["r", "r", "r", "r", "late"]);
});
