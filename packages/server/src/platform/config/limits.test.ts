import { describe, expect, it } from "vitest";

import {
  defaultLimits,
  limitDefinitions,
  limitNames,
  limitRange,
  limitVariable,
  parseLimit,
} from "./limits.ts";

describe.each(limitNames)("%s", (name) => {
  const { min, max, mayBeUnlimited, default: fallback } = limitDefinitions[name];

  it("accepts its default and its range, and nothing else", () => {
    expect(parseLimit(name, String(fallback))).toBe(defaultLimits[name]);
    expect(parseLimit(name, String(min))).toBe(min);
    expect(parseLimit(name, String(max))).toBe(max);
    for (const text of [
      String(min - 1),
      String(max + 1),
      "1.5",
      "1e3",
      " 7",
      "many",
      "9".repeat(99),
    ]) {
      expect(parseLimit(name, text)).toBeUndefined();
    }
  });

  it("accepts the word unlimited where its range says so", () => {
    expect(parseLimit(name, "unlimited")).toBe(mayBeUnlimited ? Infinity : undefined);
    expect(limitRange(name).includes("unlimited")).toBe(mayBeUnlimited);
  });
});

it("calls variables like limits", () => {
  expect(limitVariable("maxStreamsPerUser")).toBe("SLIPWAY_MAX_STREAMS_PER_USER");
});
