import { expect, it } from "vitest";

import { intervalRow, speedJson } from "./speed-text.ts";

const interval = { startMs: 1_000, endMs: 3_000, bytes: 50_000_000 };

it("renders an interval", () => {
  expect(intervalRow(interval)).toEqual(["1.00 - 3.00 s", "50.0 MB", "200.0 Mbit/s"]);
  expect(intervalRow({ startMs: 0, endMs: 0, bytes: 0 })[2]).toBe("0.0 Mbit/s");
});

it("prints the JSON of the stock command", () => {
  const json = { start_time_seconds: 1, end_time_seconds: 3, throughput_mbits: 200 };
  expect(speedJson(interval, [interval])).toEqual({ overall: json, intervals: [json] });
});
