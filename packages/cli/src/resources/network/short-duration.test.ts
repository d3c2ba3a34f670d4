import { expect, it } from "vitest";

import { readShortDuration } from "./short-duration.ts";

it.each([
  ["5s", 5_000],
  ["500ms", 500],
  ["1.5s", 1_500],
  ["2m", 120_000],
])("reads %s", (text, ms) => {
  expect(readShortDuration("--wait", text)).toBe(ms);
});

it.each(["", "5", "s", "-1s", "1h", "1 s", "1s1s", "1e3s", "1234567s"])(
  "refuses %j, naming the flag",
  (text) => {
    expect(() => readShortDuration("--wait", text)).toThrow(`--wait "${text}" is not a duration`);
  },
);

it.each([
  ["1440.001m", {}, "1440m"],
  ["999999m", {}, "1440m"],
  ["601s", { maxMinutes: 10 }, "10m"],
])("refuses %j, which is longer than %j allows", (text, limit, most) => {
  expect(() => readShortDuration("--wait", text, limit)).toThrow(
    `--wait "${text}" is too long, wanted at most ${most}`,
  );
  expect(readShortDuration("--wait", most, limit)).toBeGreaterThan(0);
});

it.each(["0s", "0ms", "0.0m"])("refuses %j, as nothing happens in it", (text) => {
  expect(() => readShortDuration("--wait", text)).toThrow(`--wait "${text}" is no time at all`);
});
