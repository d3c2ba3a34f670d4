import { expect, it } from "vitest";

import { cronOf, readStartTime } from "./cron.ts";

const zone = "Europe/Berlin";

it.each([
  ["9:30", undefined, "CRON_TZ=Europe/Berlin 30 9 * * *"],
  ["9:30AM", "Mon-Fri", "CRON_TZ=Europe/Berlin 30 9 * * mon-fri"],
  ["12am", undefined, "CRON_TZ=Europe/Berlin 0 0 * * *"],
  ["12:05pm", "sat,sun", "CRON_TZ=Europe/Berlin 5 12 * * sat,sun"],
  ["17:00", "1-5", "CRON_TZ=Europe/Berlin 0 17 * * 1-5"],
])("reads %s on %s", (time, days, cron) => {
  expect(cronOf({ time, days, zone })).toBe(cron);
});

it.each(["", "9", "25:00", "9:60", "13pm", "0am", "noon"])("refuses the time %j", (time) => {
  expect(() => cronOf({ time, days: undefined, zone })).toThrow("wanted a time such as 9:30am");
});

it("refuses invalid days", () => {
  expect(() => cronOf({ time: "9:30", days: "mon fri", zone })).toThrow("wanted days such as");
});

it.each([
  ["9:30am mon-fri Europe/Berlin", { time: "9:30am", days: "mon-fri", zone: "Europe/Berlin" }],
  [" 17:00 UTC ", { time: "17:00", days: undefined, zone: "UTC" }],
  ["9am sat,sun", { time: "9am", days: "sat,sun" }],
])("reads a start time of one text: %j", (text, time) => {
  expect(readStartTime(text)).toMatchObject(time);
});

it("refuses a start time with too many words", () => {
  expect(() => readStartTime("9am mon fri")).toThrow("wanted a time, days and a zone");
});
