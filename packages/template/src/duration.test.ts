import { durationText } from "@slipway/runtime";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { durationPattern, parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["45s", 45],
    ["5m", 300],
    ["1h30m", 5_400],
    ["2d", 172_800],
    ["0s", 0],
    ["90m", 5_400],
  ])("reads %s as %i seconds", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each([
    "",
    "5",
    "500ms",
    "1.5h",
    "-5s",
    "5 s",
    "30m1h",
    "5S",
    "1h1h",
    "m",
    `${"9".repeat(40)}s`,
  ])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("reads what durationText writes, and the pattern for editors agrees", () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(parseDuration(durationText(seconds * 1_000))).toBe(seconds);
        expect(durationText(seconds * 1_000)).toMatch(new RegExp(durationPattern, "u"));
      }),
    );
  });
});
