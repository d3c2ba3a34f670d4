import { describe, expect, it } from "vitest";

import { UnfinishedBytes } from "./unfinished-bytes.ts";

/** Opens shares that record their names when they are dropped. */
function openBudget(): {
  readonly budget: UnfinishedBytes;
  readonly cutOff: string[];
  readonly open: (owner: string, name: string) => ReturnType<UnfinishedBytes["open"]>;
} {
  const budget = new UnfinishedBytes({ maxBytes: 100, timeoutMs: 1_000 });
  const cutOff: string[] = [];
  const open = (owner: string, name: string): ReturnType<UnfinishedBytes["open"]> =>
    budget.open(owner, (excess) => cutOff.push(`${name}: ${excess}`));
  return { budget, cutOff, open };
}

describe("UnfinishedBytes", () => {
  it("counts what waits, until it is complete or its connection closes", () => {
    const { budget, cutOff, open } = openBudget();
    const one = open("ann", "one");
    const other = open("ann", "other");
    one.set(60, 0);
    other.set(40, 0);
    expect(budget.bytes).toBe(100);
    one.set(0, 0);
    other[Symbol.dispose]();
    other[Symbol.dispose]();
    expect(budget.bytes).toBe(0);
    expect(cutOff).toEqual([]);
  });

  it("cuts off the longest waiting connection of the owner who holds most", () => {
    const { budget, cutOff, open } = openBudget();
    open("bob", "bob's").set(30, 0);
    open("ann", "ann's first").set(30, 1);
    open("ann", "ann's second").set(20, 2);
    open("eve", "eve's").set(21, 3);
    expect(cutOff).toEqual(["ann's first: too-many-bytes"]);
    expect(budget.bytes).toBe(71);
  });

  it("cuts off as many as it takes, the one that holds too much itself included", () => {
    const { budget, cutOff, open } = openBudget();
    open("ann", "first").set(50, 0);
    open("ann", "second").set(101, 0);
    expect(cutOff).toEqual(["first: too-many-bytes", "second: too-many-bytes"]);
    expect(budget.bytes).toBe(0);
  });

  it("cuts off a message that is not finished in time, however its bytes trickle in", () => {
    const { budget, cutOff, open } = openBudget();
    const share = open("ann", "slow");
    share.set(1, 0);
    share.set(2, 999);
    budget.cutOffOverdue(999);
    expect(cutOff).toEqual([]);
    budget.cutOffOverdue(1_000);
    expect(cutOff).toEqual(["slow: too-slow"]);
    expect(budget.bytes).toBe(0);
  });

  it("gives every message the whole time", () => {
    const { budget, cutOff, open } = openBudget();
    const share = open("ann", "busy");
    share.set(1, 0);
    share.set(0, 900);
    share.set(1, 900);
    budget.cutOffOverdue(1_899);
    expect(cutOff).toEqual([]);
    budget.cutOffOverdue(1_900);
    expect(cutOff).toEqual(["busy: too-slow"]);
  });
});
