import type { Workspace } from "@slipway/api";

import type { Colors } from "../../../terminal/colors.ts";
import { relativeTime } from "../../../terminal/relative-time.ts";
import { renderTable } from "../../../terminal/table.ts";
import { fullName } from "../../workspace/reference.ts";
import { cronText } from "../cron.ts";
import { durationText } from "../duration.ts";

/** When workspaces start and stop by themselves, a line each. `now` is in milliseconds since the epoch. */
export function scheduleTable(
  workspaces: readonly Workspace[],
  now: number,
  colors: Colors,
): string[] {
  const headings = ["WORKSPACE", "STARTS", "NEXT START", "STOPS AFTER", "NEXT STOP"];
  const rows = workspaces.map((workspace) => [
    fullName(workspace),
    workspace.autostart_schedule === null ? "-" : cronText(workspace.autostart_schedule),
    timeCell(workspace.next_start_at, now),
    workspace.ttl_ms === null ? "-" : durationText(workspace.ttl_ms),
    workspace.latest_build.status === "running"
      ? timeCell(workspace.latest_build.deadline, now)
      : "-",
  ]);
  return renderTable(headings, rows, colors);
}

function timeCell(time: string | null, now: number): string {
  return time === null ? "-" : relativeTime(Date.parse(time), now);
}
