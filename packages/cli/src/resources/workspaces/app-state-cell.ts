import type { WorkspaceApp } from "@slipway/api/agents/app";

import type { Colors } from "../../terminal/colors.ts";
import type { Cell } from "../../terminal/table.ts";

type AppState = WorkspaceApp["statuses"][number]["state"];

/** Returns the state that an app reports. */
export function appStateCell(state: AppState, colors: Colors): Cell {
  switch (state) {
    case "working":
      return { text: state, style: colors.yellow };
    case "complete":
      return { text: state, style: colors.green };
    case "failure":
      return { text: state, style: colors.red };
    case "idle":
      return state;
  }
}
