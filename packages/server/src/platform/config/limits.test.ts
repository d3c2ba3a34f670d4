import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import {
  defaultLimits,
  limitDefinitions,
  limitNames,
  limitRange,
  limitVariable,
  parseLimit,
} from "./limits.ts";

const page = new URL("../../../../../docs/configuration.md", import.meta.url);

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

it("is what docs/configuration.md says", () => {
  const rows = readFileSync(page, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `SLIPWAY_MAX_"))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1)
        .join(" | "),
    );
  const wanted = limitNames.map((name) => {
    const { min, max, mayBeUnlimited, default: fallback, summary } = limitDefinitions[name];
    const range = `${min} – ${max}${mayBeUnlimited ? " or `unlimited`" : ""}`;
    return `\`${limitVariable(name)}\` | ${fallback} | ${range} | ${summary}`;
  });
  expect(rows.toSorted()).toEqual(wanted.toSorted());
});
