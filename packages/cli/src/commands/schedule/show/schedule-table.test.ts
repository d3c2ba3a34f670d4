import { expect, test } from "vitest";

import { noColors } from "../../../terminal/colors.ts";
import { sampleBuild, sampleWorkspace } from "../../sample.ts";
import { scheduleTable } from "./schedule-table.ts";

test("prints when a workspace starts and stops, and a dash where it does not", () => {
  const scheduled = {
    ...sampleWorkspace,
    name: "timed",
    autostart_schedule: "CRON_TZ=Europe/Berlin 30 9 * * mon-fri",
    next_start_at: "2026-01-02T08:30:00Z",
    ttl_ms: 28_800_000,
    latest_build: { ...sampleBuild, deadline: "2026-01-01T08:00:00Z" },
  };
  const now = Date.parse("2026-01-01T06:00:00Z");
  expect(scheduleTable([sampleWorkspace, scheduled], now, noColors)).toEqual([
    "WORKSPACE  STARTS                        NEXT START  STOPS AFTER  NEXT STOP",
    "ada/demo   -                             -           -            -",
    "ada/timed  9:30 mon-fri (Europe/Berlin)  in 1 day    8h           in 2 hours",
  ]);
});
