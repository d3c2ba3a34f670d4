import type { Workspace } from "@slipway/api";

import type { Colors } from "../../terminal/colors.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import { type Cell, renderTable } from "../../terminal/table.ts";
import { fullName } from "../workspace/reference.ts";
import { statusCell } from "../workspace/status-cell.ts";

export interface TableView {
  readonly showOwner: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly colors: Colors;
}

/** Workspaces as lines, one each below the headings. */
export function workspaceTable(workspaces: readonly Workspace[], view: TableView): string[] {
  const headings = ["NAME", "TEMPLATE", "STATUS", "HEALTHY", "LAST BUILT", "OUTDATED"];
  const rows = workspaces.map((workspace) => row(workspace, view));
  return renderTable(headings, rows, view.colors);
}

function row(workspace: Workspace, { showOwner, now, colors }: TableView): Cell[] {
  const { name, template_name, latest_build, health, outdated } = workspace;
  return [
    showOwner ? fullName(workspace) : name,
    template_name,
    statusCell(latest_build.status, colors),
    healthCell(latest_build.status === "running", health.healthy, colors),
    relativeTime(Date.parse(latest_build.created_at), now),
    outdated ? { text: "yes", style: colors.yellow } : "no",
  ];
}

/** Only what runs is healthy or not. */
function healthCell(isRunning: boolean, isHealthy: boolean, colors: Colors): Cell {
  if (!isRunning) return "-";
  return isHealthy ? "yes" : { text: "no", style: colors.red };
}
