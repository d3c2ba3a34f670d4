import { expect, it } from "vitest";

import { evaluateWindow, type Sample, sampleOf } from "./monitor-window.ts";

const letters: Readonly<Record<string, Sample>> = { o: "ok", n: "nok", u: "unknown" };
const window = (text: string): Sample[] =>
  Array.from(text, (letter) => letters[letter] ?? "unknown");

it.each([
  ["oooooooooo", "nok", "ok"],
  ["ooooooooon", "ok", "ok"],
  ["ooooooooon", "nok", "nok"],
  ["nooooooooo", "nok", "nok"],
  ["noooonoooo", "ok", "nok"],
  ["nnnnnooooo", "ok", "nok"],
  ["uuuuuuuuuu", "ok", "ok"],
  ["uuuuuuuuuu", "nok", "nok"],
  ["ooooooooou", "nok", "nok"],
  ["n", "ok", "nok"],
  ["", "nok", "nok"],
] as const)("takes %j after %s for %s", (samples, before, after) => {
  expect(evaluateWindow(window(samples), before)).toBe(after);
});

it.each([
  [79n, 100n, "ok"],
  [799n, 1000n, "ok"],
  [80n, 100n, "nok"],
  [1n, 0n, "unknown"],
])("takes a use of %d in %d with a threshold of 80 for %s", (used, total, sample) => {
  expect(sampleOf({ used, total }, 80)).toBe(sample);
});

it("takes a missing use for unknown", () => {
  expect(sampleOf(undefined, 80)).toBe("unknown");
});
