import type { AppHealth } from "@slipway/api/agents/app";

import type { Colors } from "../../terminal/colors.ts";
import type { Cell, Columns } from "../../terminal/table.ts";
import { type AppPlace, appUrl, isCommandApp } from "./app-url.ts";
import type { AgentApp } from "./choose-app.ts";

type AppColumn = "app" | "name" | "agent" | "health" | "shared" | "url";

/** Returns the columns of apps. Without a place their URLs are those inside the workspace. */
export function appColumns(
  place: AppPlace | undefined,
  colors: Colors,
): Columns<AgentApp, AppColumn> {
  return {
    app: ({ app }) => app.slug,
    name: ({ app }) => app.display_name ?? app.slug,
    agent: ({ agentName }) => agentName,
    health: ({ app }) => healthCell(app.health, colors),
    shared: ({ app }) => app.sharing_level,
    url: ({ app, agentName }) => {
      if (isCommandApp(app)) return app.command ?? "";
      return (place === undefined ? app.url : appUrl(app, agentName, place)) ?? "-";
    },
  };
}

function healthCell(health: AppHealth, colors: Colors): Cell {
  switch (health) {
    case "healthy":
      return { text: health, style: colors.green };
    case "initializing":
      return { text: health, style: colors.yellow };
    case "unhealthy":
      return { text: health, style: colors.red };
    case "disabled":
      return { text: "-", style: colors.dim };
  }
}
