import { expect, it } from "vitest";

import { encodeSchedule, parseSchedule } from "./schedule.ts";

it.each([
  [
    "CRON_TZ=Europe/Berlin 5 9 * * mon-fri",
    { time: "09:05", days: ["mon", "tue", "wed", "thu", "fri"], zone: "Europe/Berlin" },
  ],
  ["0 17 * * SAT,0", { time: "17:00", days: ["sun", "sat"], zone: "UTC" }],
  ["0 17 * * 6-7", { time: "17:00", days: ["sun", "sat"], zone: "UTC" }],
])("reads %s", (cron, schedule) => {
  expect(parseSchedule(cron)).toEqual(schedule);
});

it.each(["*/5 9 * * *", "0 9 1 * *", "0 9 * * mon-fri/2", "0 9 * * fri-mon", "0 9 * * xyz", ""])(
  "leaves %j to those who write cron",
  (cron) => {
    expect(parseSchedule(cron)).toBeUndefined();
  },
);

it("writes what it reads", () => {
  const weekdays = "CRON_TZ=Europe/Berlin 30 9 * * mon,tue,wed,thu,fri";
  const daily = "CRON_TZ=UTC 0 0 * * *";
  for (const cron of [weekdays, daily]) {
    const schedule = parseSchedule(cron);
    expect(schedule === undefined ? undefined : encodeSchedule(schedule)).toBe(cron);
  }
});
