import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { readPagedSearch } from "../../components/search/search-terms.ts";
import { framedRoute } from "../roots.tsx";

const auditRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/audit",
  validateSearch: readPagedSearch,
  component: lazyRouteComponent(() => import("./audit-page.tsx"), "AuditPage"),
});

const connectionsRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/connectionlog",
  validateSearch: readPagedSearch,
  component: lazyRouteComponent(() => import("./connections-page.tsx"), "ConnectionsPage"),
});

export const recordsRoutes = [auditRoute, connectionsRoute] as const;
