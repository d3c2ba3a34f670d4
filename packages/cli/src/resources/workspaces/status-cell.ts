import type { BuildStatus } from "@slipway/api/builds/build";

import type { Colors } from "../../terminal/colors.ts";

/** Returns the status of a workspace, in its color. */
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
