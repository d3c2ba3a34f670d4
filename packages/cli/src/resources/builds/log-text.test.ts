import { expect, it } from "vitest";

import { linesOf } from "./log-text.ts";

it.each([
  ["one", ["one"]],
  ["", [""]],
  ["one\r\n", ["one"]],
  ["one\r\r\ntwo\n\r\n", ["one", "two"]],
  ["a\rb\n\nc", ["a\rb", "", "c"]],
])("splits %j into the lines %j", (output, lines) => {
  expect(linesOf({ output })).toEqual(lines);
});

it("splits an entry of many line ends in linear time", () => {
  expect(linesOf({ output: `${"\r".repeat(1_000_000)}x` })).toHaveLength(1);
  expect(linesOf({ output: `${"\n".repeat(1_000_000)}x` })).toHaveLength(1_000_001);
});
