import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readTimestamp, timestampFromMs, timestampMs } from "./timestamp.ts";

describe("readTimestamp", () => {
  it.each([
    ["2026-07-24 05:20:02.5+00", "2026-07-24T05:20:02.5Z"],
    ["2026-07-24 05:20:02+00", "2026-07-24T05:20:02Z"],
    ["2026-07-24 05:20:02.123456+00", "2026-07-24T05:20:02.123456Z"],
    ["0001-01-01 00:00:00+00", "0001-01-01T00:00:00Z"],
  ])("reads %s as PostgreSQL writes it", (text, timestamp) => {
    expect(readTimestamp(text)).toBe(timestamp);
  });
});

describe("timestampFromMs", () => {
  it("leaves out the zeros at the end of the fraction", () => {
    const times = [0, 500, 120, 7].map(timestampFromMs);
    expect(times.map((time) => time.slice(17))).toEqual(["00Z", "00.5Z", "00.12Z", "00.007Z"]);
    expect(timestampFromMs(10_000)).toBe("1970-01-01T00:00:10Z");
  });

  it("reads back as the same time", () => {
    const dates = fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(dates, (date) => {
        expect(timestampMs(timestampFromMs(date.getTime()))).toBe(date.getTime());
      }),
    );
  });
});
