import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { framedRoute } from "../roots.tsx";

const provisionersRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/provisioners",
  component: lazyRouteComponent(() => import("./provisioners-page.tsx"), "ProvisionersPage"),
});

export const provisionersRoutes = [provisionersRoute] as const;
