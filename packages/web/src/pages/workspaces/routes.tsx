import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { framedRoute } from "../roots.tsx";
import { readListSearch } from "./list-search.ts";

const workspacesRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/workspaces",
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import("./workspaces-page.tsx"), "WorkspacesPage"),
});

export const workspacesRoutes = [workspacesRoute] as const;
