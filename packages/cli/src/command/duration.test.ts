import { durationText } from "@slipway/runtime";
import fc from "fast-check";
import { expect, it } from "vitest";

import { readDuration, readShortDuration } from "./duration.ts";

it.each([
  ["0", 0],
  ["90s", 90_000],
  ["2h", 7_200_000],
  ["8h", 28_800_000],
  ["1h30m", 5_400_000],
  ["1d2s", 86_402_000],
  ["30d", 2_592_000_000],
  ["1d12h30m", 131_400_000],
  ["1y", 31_536_000_000],
  ["720h", 2_592_000_000],
])("reads %s", (text, ms) => {
  expect(readDuration("--default-ttl", text)).toBe(ms);
});

it.each(["", "2", "8", "h", "8 h", "1m2h", "-1h", "1.5h", "1h!", "8w", "soon"])(
  "refuses %j",
  (text) => {
    expect(() => readDuration("--default-ttl", text)).toThrow(
      `--default-ttl "${text}" is not a duration: write 8h, 30d or 1h30m`,
    );
  },
);

it("formats what it reads", () => {
  expect(durationText(90 * 86_400_000)).toBe("90d");
  expect(durationText(5_400_000)).toBe("1h30m");
  expect(durationText(172_800_000)).toBe("2d");
  expect(durationText(2_700_000)).toBe("45m");
  expect(durationText(90_000)).toBe("1m30s");
  expect(durationText(0)).toBe("0s");
  fc.assert(
    fc.property(fc.nat(999_999_999), (seconds) => {
      expect(readDuration("x", durationText(seconds * 1_000))).toBe(seconds * 1_000);
    }),
  );
});

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
