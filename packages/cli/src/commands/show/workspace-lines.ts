import type { Workspace } from "@slipway/api";
import { printableLine } from "@slipway/runtime";

import type { Colors } from "../../terminal/colors.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import { renderPairs } from "../../terminal/table.ts";
import { fullName } from "../workspace/reference.ts";
import { statusCell } from "../workspace/status-cell.ts";

/** A workspace and its newest build as lines. `now` is in milliseconds since the epoch. */
export function workspaceLines(workspace: Workspace, now: number, colors: Colors): string[] {
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
      ],
      colors,
    ),
  ];
}
