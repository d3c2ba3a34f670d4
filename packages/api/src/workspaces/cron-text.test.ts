import { expect, it } from "vitest";

import { cronText } from "./cron-text.ts";

it.each([
  ["CRON_TZ=Europe/Berlin 5 9 * * mon-fri", "9:05 Mon-Fri (Europe/Berlin)"],
  ["0 17 * * 1-5", "17:00 Mon-Fri (UTC)"],
  ["0 17 * * SAT,0", "17:00 Sat,Sun (UTC)"],
  ["0 17 * * 6,7", "17:00 Sat,Sun (UTC)"],
  ["0 17 * * mon,tue,wed,thu,fri", "17:00 Mon-Fri (UTC)"],
  ["0 17 * * sun,mon,tue,thu,fri", "17:00 Sun-Tue,Thu,Fri (UTC)"],
  ["0 17 * * 1-5/2", "17:00 1-5/2 (UTC)"],
  ["0 17 * * *", "17:00 daily (UTC)"],
  ["*/5 9 * * *", "*/5 9 * * *"],
])("formats %s as %s", (cron, text) => {
  expect(cronText(cron)).toBe(text);
});
