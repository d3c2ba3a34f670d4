import { describe, expect, it } from "vitest";

import { linesOf } from "./log-text.ts";

describe("the lines of a log entry", () => {
  it.each([
    ["one", ["one"]],
    ["", [""]],
    ["one\r\n", ["one"]],
    ["one\r\r\ntwo\n\r\n", ["one", "two"]],
    ["a\rb\n\nc", ["a\rb", "", "c"]],
  ])("of %j are %j", (output, lines) => {
    expect(linesOf({ output })).toEqual(lines);
  });

  it("are found soon in an entry of many ends of line", () => {
    expect(linesOf({ output: `${"\r".repeat(1_000_000)}x` })).toHaveLength(1);
    expect(linesOf({ output: `${"\n".repeat(1_000_000)}x` })).toHaveLength(1_000_001);
  });
});
