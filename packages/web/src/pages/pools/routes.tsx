import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { framedRoute } from "../roots.tsx";

const poolsRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/pools",
  component: lazyRouteComponent(() => import("./pools-page.tsx"), "PoolsPage"),
});

export const poolsRoutes = [poolsRoute] as const;
