import type { BuildStatus } from "@slipway/api";

import type { Colors } from "../../terminal/colors.ts";

/** The status of a workspace, and the colour that says how it is. */
export function statusCell(
  status: BuildStatus,
  colors: Colors,
): { readonly text: BuildStatus; readonly style: (text: string) => string } {
  return { text: status, style: statusStyle(status, colors) };
}

function statusStyle(status: BuildStatus, colors: Colors): (text: string) => string {
  switch (status) {
    case "running":
      return colors.green;
    case "failed":
      return colors.red;
    case "pending":
    case "starting":
    case "stopping":
    case "deleting":
    case "canceling":
      return colors.yellow;
    case "stopped":
    case "deleted":
    case "canceled":
      return colors.dim;
  }
}
