import { setImmediate as nextTurn } from "node:timers/promises";

import { LoopTurn } from "@slipway/runtime";
import { describe, expect, it } from "vitest";

import { halfOfTurns, InboundTurns } from "./inbound-turns.ts";

/** Turns in which each step takes its given time; three milliseconds fit a turn. */
function openTurns(): {
  readonly turns: InboundTurns;
  readonly done: string[];
  readonly step: (name: string, ms: number) => () => void;
  readonly pass: (ms: number) => void;
} {
  let now = 0;
  const done: string[] = [];
  return {
    turns: new InboundTurns(new LoopTurn(3, () => now), () => now),
    done,
    pass: (ms) => void (now += ms),
    step: (name, ms) => () => {
      now += ms;
      done.push(name);
    },
  };
}

async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

describe("InboundTurns", () => {
  it("does steps at once while the turn has time", () => {
    const { turns, done, step } = openTurns();
    turns.run("ann", step("a", 2));
    turns.run("bob", step("b", 2));
    expect(done).toEqual(["a", "b"]);
    turns.run("ann", step("c", 0));
    expect(done).toEqual(["a", "b"]);
  });

  it("leaves the rest to later turns, a step for each client in rotation", async () => {
    const { turns, done, step } = openTurns();
    turns.run("eve", step("first", 3));
    for (const name of ["e1", "e2", "e3"]) turns.run("eve", step(name, 3));
    turns.run("ann", step("a1", 3));
    turns.run("ann", step("a2", 3));
    expect(done).toEqual(["first"]);
    await manyTurns();
    expect(done).toEqual(["first", "e1", "a1", "e2", "a2", "e3"]);
  });

  it("takes no more than its time of a turn, with what the promises of a step do", async () => {
    const { turns, done, step } = openTurns();
    turns.run("eve", step("first", 3));
    const slow = step("goes on", 3);
    turns.run("eve", () => {
      setImmediate(step("the turn is over", 0));
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(slow);
    });
    turns.run("eve", step("next", 0));
    await manyTurns();
    expect(done).toEqual(["first", "goes on", "the turn is over", "next"]);
  });

  it("lets nobody overtake those that wait", async () => {
    const { turns, done, step } = openTurns();
    turns.run("eve", step("first", 3));
    turns.run("eve", step("waits", 0));
    await Promise.resolve();
    turns.run("ann", step("later", 0));
    await manyTurns();
    expect(done).toEqual(["first", "waits", "later"]);
  });

  it("forgets a step whose connection has closed", async () => {
    const { turns, done, step } = openTurns();
    turns.run("eve", step("first", 3));
    const gone = step("gone", 0);
    turns.run("eve", gone);
    turns.run("ann", step("stays", 0));
    turns.cancel("eve", gone);
    await manyTurns();
    expect(done).toEqual(["first", "stays"]);
  });

  it("tells how long the next client has waited, however much it has to do", async () => {
    const { turns, step, pass } = openTurns();
    expect(turns.delayMs).toBe(0);
    turns.run("eve", step("first", 3));
    for (const name of ["e1", "e2", "e3", "e4"]) turns.run("eve", step(name, 3));
    pass(20);
    turns.run("ann", step("a1", 3));
    pass(10);
    expect(turns.delayMs).toBe(30);
    await nextTurn();
    // Eve's first step was done; Ann is next.
    expect(turns.delayMs).toBe(13);
    await manyTurns();
    expect(turns.delayMs).toBe(0);
  });
});

describe("halfOfTurns", () => {
  it("gives half of the last turn's time, between 5 and 50 ms", () => {
    let activeMs = 1_000;
    const next = halfOfTurns(() => activeMs);
    const after = (ms: number): number => {
      activeMs += ms;
      return next();
    };
    expect([2, 40, 99, 5_000, 0].map(after)).toEqual([5, 20, 49.5, 50, 5]);
  });
});
