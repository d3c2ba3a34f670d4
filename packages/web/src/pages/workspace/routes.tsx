import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { textParameters } from "../../components/search/search-terms.ts";
import { framedRoute } from "../roots.tsx";
import { type AgentView, readAgentView } from "./overview/agent-views.ts";

const workspaceRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/@{$owner}/$workspace",
  component: lazyRouteComponent(() => import("./workspace-page.tsx"), "WorkspacePage"),
});

const overviewRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/",
  validateSearch: (search): { view?: AgentView } => {
    const view = readAgentView(search["view"]);
    return view === undefined ? {} : { view };
  },
  component: lazyRouteComponent(() => import("./overview/overview-page.tsx"), "OverviewPage"),
});

const buildsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/builds",
  component: lazyRouteComponent(() => import("./builds/builds-page.tsx"), "BuildsPage"),
});

const buildRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/builds/$number",
  component: lazyRouteComponent(() => import("./builds/build-page.tsx"), "BuildPage"),
});

const runsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/runs",
  validateSearch: (search) => textParameters(search, "run", "agent"),
  component: lazyRouteComponent(() => import("./runs/runs-page.tsx"), "RunsPage"),
});

const filesRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/files",
  validateSearch: (search) => textParameters(search, "path", "file", "agent"),
  component: lazyRouteComponent(() => import("./files/files-page.tsx"), "FilesPage"),
});

const connectionsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/connections",
  component: lazyRouteComponent(
    () => import("./connections/connections-page.tsx"),
    "ConnectionsPage",
  ),
});

const settingsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/settings-page.tsx"), "SettingsPage"),
});

export const workspaceRoutes = [
  workspaceRoute.addChildren([
    overviewRoute,
    buildsRoute,
    buildRoute,
    runsRoute,
    filesRoute,
    connectionsRoute,
    settingsRoute,
  ]),
] as const;
