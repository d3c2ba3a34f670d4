import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { textParameters } from "../../components/search/search-terms.ts";
import { framedRoute } from "../roots.tsx";

const healthRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/health",
  component: lazyRouteComponent(() => import("./health-page.tsx"), "HealthPage"),
});

const deploymentRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/deployment",
  validateSearch: (search): { q?: string; show?: "given" } => ({
    ...textParameters(search, "q"),
    ...(search["show"] === "given" ? { show: "given" } : {}),
  }),
  component: lazyRouteComponent(() => import("./deployment-page.tsx"), "DeploymentPage"),
});

export const deploymentRoutes = [healthRoute, deploymentRoute] as const;
