import type { BuildParameter, Workspace } from "@slipway/api";
import { durationText, printableLine } from "@slipway/runtime";

import { cronText } from "../../resources/workspaces/cron.ts";
import { statusCell } from "../../resources/workspaces/status-cell.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";
import type { Layout } from "../../terminal/layout.ts";
import { clockTime, relativeTime } from "../../terminal/relative-time.ts";
import { renderPairs } from "../../terminal/table.ts";
import { section } from "./agent-lines.ts";

/** Renders a workspace and its newest build. `now` is in milliseconds since the epoch. */
export function workspaceLines(workspace: Workspace, now: number, layout: Layout): string[] {
  const { colors } = layout;
  const { latest_build: build, template_name, outdated } = workspace;
  const { text, style } = statusCell(build.status, colors);
  const started = relativeTime(Date.parse(build.created_at), now);
  const error = build.job.error ?? "";
  return [
    `${colors.bold(printableLine(fullName(workspace)))}  ${style(text)}`,
    ...renderPairs(
      [
        ["Id", workspace.id],
        [
          "Template",
          `${template_name}, version ${build.template_version_name}${outdated ? " (outdated)" : ""}`,
        ],
        [
          "Build",
          `${build.build_number}: ${build.transition} by ${build.initiator_name}, ${started}`,
        ],
        ...(error === "" ? [] : [["Error", error] as const]),
        ...dormancyOf(workspace, now),
        ...scheduleOf(workspace, now),
      ],
      layout,
    ),
  ];
}

/** Renders since when the workspace is dormant, and when it will be deleted for it. */
function dormancyOf(
  { dormant_at, deleting_at }: Workspace,
  now: number,
): (readonly [string, string])[] {
  if (dormant_at === null) return [];
  const since = ["Dormant", `since ${clockTime(Date.parse(dormant_at))}`] as const;
  if (deleting_at === null) return [since];
  const at = Date.parse(deleting_at);
  const deletion = `${clockTime(at)}, ${relativeTime(at, now)}, unless it is started`;
  return [since, ["Deletion", deletion]];
}

/** Renders the automatic start and stop, if any. */
function scheduleOf(
  { autostart_schedule, next_start_at, ttl_ms, latest_build }: Workspace,
  now: number,
): (readonly [string, string])[] {
  const when = (time: string | null): string =>
    time === null ? "" : `, next ${relativeTime(Date.parse(time), now)}`;
  const { deadline } = latest_build;
  const isRunning = latest_build.status === "running";
  return [
    ...(autostart_schedule === null
      ? []
      : [["Starts", `${cronText(autostart_schedule)}${when(next_start_at)}`] as const]),
    ...(ttl_ms === null
      ? []
      : [
          [
            "Stops",
            `${durationText(ttl_ms)} after a start${isRunning ? when(deadline) : ""}`,
          ] as const,
        ]),
    ...(ttl_ms === null && isRunning && deadline !== null
      ? [["Stops", relativeTime(Date.parse(deadline), now)] as const]
      : []),
  ];
}

/** Renders the values of the template's parameters in the newest build. */
export function parameterLines(values: readonly BuildParameter[], layout: Layout): string[] {
  const rows = values.map(({ name, value }) => [name, value]);
  return section(["PARAMETER", "VALUE"], rows, layout);
}
