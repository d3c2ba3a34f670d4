import { execFileSync } from "node:child_process";

import { expect, it } from "vitest";

import { DescriptorBudget, descriptorLimit } from "./descriptors.ts";

it("gives clients a quarter of the limit, and one of them half of that, until they give it back", () => {
  const budget = new DescriptorBudget(80);
  const [ann, bob, eve] = [budget.share(), budget.share(), budget.share()];
  const [first, rest] = [ann.take(6), ann.take(4)];
  expect([first, rest]).not.toContain(undefined);
  expect(ann.take(1)).toBeUndefined();
  expect(bob.take(10)).toBeDefined();
  expect(eve.take(1)).toBeUndefined();
  // Twice counts once.
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  expect(eve.take(7)).toBeUndefined();
  expect(eve.take(6)).toBeDefined();
  expect(ann.take(1)).toBeUndefined();
});

it.runIf(process.platform === "linux")("reads the limit of this process", () => {
  expect(descriptorLimit()).toBe(
    Number(execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" })),
  );
});
