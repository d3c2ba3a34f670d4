import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { textParameters } from "../../components/search/search-terms.ts";
import { memberRoute } from "../roots.tsx";

/** The terminals of a page, and what a link asks for. */
export interface TerminalSearch {
  /** The id of the terminal that is shown, as stock clients name it. */
  readonly reconnect?: string;
  /** The ids of all terminals of the page. */
  readonly tabs?: readonly string[];
  readonly command?: string;
  readonly container?: string;
  readonly container_user?: string;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The maximum number of terminals in a page. */
export const maxTabs = 8;

function readSearch(search: Readonly<Record<string, unknown>>): TerminalSearch {
  const { reconnect, tabs } = search;
  const ids = Array.isArray(tabs) ? tabs.map(String).filter((id) => uuid.test(id)) : [];
  return {
    ...(typeof reconnect === "string" && uuid.test(reconnect) ? { reconnect } : {}),
    ...(ids.length > 0 ? { tabs: [...new Set(ids)].slice(0, maxTabs) } : {}),
    ...textParameters(search, "command", "container", "container_user"),
  };
}

const terminalRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: "/@{$owner}/$workspace/terminal",
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import("./terminal-page.tsx"), "TerminalPage"),
});

export const terminalRoutes = [terminalRoute] as const;
