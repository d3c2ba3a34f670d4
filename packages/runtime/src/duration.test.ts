import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { durationMs, durationText } from "./duration.ts";

describe("durationMs", () => {
  it.each([
    ["1h30m", 5_400_000],
    ["1y2d", 31_708_800_000],
    ["1.5s250ms", 1_750],
    ["0s", 0],
    ["0", 0],
  ])("adds up %s", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });
});

describe("durationText", () => {
  it("leaves out what is 0, and parts of a second", () => {
    const texts = [90 * 86_400_000, 5_400_000, 90_999, 999, 0].map(durationText);
    expect(texts).toEqual(["90d", "1h30m", "1m30s", "0s", "0s"]);
  });

  it("writes what adds up to the same", () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(durationMs(durationText(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
  });
});
