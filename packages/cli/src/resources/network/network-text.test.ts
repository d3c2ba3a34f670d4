import { expect, it } from "vitest";

import { latencyJson, latencyText } from "./network-text.ts";

it.each([
  [0.843_491_000_000_003_1, 0.843, "0.84 ms"],
  [12.345_678, 12.346, "12.3 ms"],
  [120, 120, "120 ms"],
])("formats %d ms", (ms, json, text) => {
  expect(latencyJson(ms)).toBe(json);
  expect(latencyText(ms)).toBe(text);
});

it("has null in JSON for what has not been measured", () => {
  expect(latencyJson(undefined)).toBeNull();
});
