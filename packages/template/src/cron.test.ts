import { describe, expect, it } from "vitest";

import { parseScriptCron, parseWindowCron, windowsOverlap } from "./cron.ts";

describe("parseScriptCron", () => {
  it.each([
    "* * * * *",
    "*/5 0-6,22-23 1 jan,DEC sun",
    "? ? ? ? ?",
    "1/2 3-9/3 1,2,3 12 0-6",
    "CRON_TZ=UTC 0 0 1 1 *",
  ])("takes %s", (text) => {
    expect(parseScriptCron(text)).toHaveProperty("cron");
  });

  it.each([
    "",
    "*",
    "60 * * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 7",
    "5-1 * * * *",
    "*/0 * * * *",
    "*/61 * * * *",
    "* * * * */8",
    "a * * * *",
    "*-3 * * * *",
    "1- * * * *",
    ", * * * *",
    "TZ= * * * * *",
    "@every 5m",
    "1 2 3 4 5 6 7",
    "-1 * * * *",
  ])("refuses %j", (text) => {
    expect(parseScriptCron(text)).toHaveProperty("problem");
  });
});

describe("parseWindowCron", () => {
  it("gives the values of each field", () => {
    const parsed = parseWindowCron("* 8-10 1,15 * mon-wed");
    const fields = "fields" in parsed ? parsed.fields.map((field) => Array.from(field)) : [];
    expect(fields.slice(1)).toEqual([
      [8, 9, 10],
      [1, 15],
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
      [1, 2, 3],
    ]);
  });

  it.each([
    ["* 8 29 2 *", true],
    ["* 8 30 2 *", false],
    ["* 8 31 4,6,9,11 ?", false],
    ["* 8 31 4,5 *", true],
    ["* 8 30,31 feb mon", true],
  ])("of %s says whether it ever comes: %s", (text, comes) => {
    expect("fields" in parseWindowCron(text)).toBe(comes);
  });
});

describe("windowsOverlap", () => {
  it.each([
    ["* 8-12 * * *", "* 12-14 * * *", true],
    ["* 8-12 * * *", "* 13-14 * * *", false],
    ["* 8 * 1-6 *", "* 8 * 7-12 *", false],
    ["* 8 * * 1-5", "* 8 * * 0,6", false],
    ["* 8 1-15 * *", "* 8 16-31 * *", false],
    ["* 8 1 * *", "* 8 * * 1", true],
    ["* 8 1 * 1", "* 8 2 * 2", true],
    ["* * * * *", "* 8 * * 3", true],
  ])("%s and %s: %s", (a, b, wanted) => {
    expect(windowsOverlap(a, b)).toBe(wanted);
    expect(windowsOverlap(b, a)).toBe(wanted);
  });
});
