import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { framedRoute } from "../roots.tsx";

const designRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/design",
  component: lazyRouteComponent(() => import("./design-page.tsx"), "DesignPage"),
});

export const designRoutes = [designRoute] as const;
