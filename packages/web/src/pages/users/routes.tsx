import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { readPagedSearch } from "../../components/search/search-terms.ts";
import { framedRoute } from "../roots.tsx";

const usersRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/users",
  validateSearch: readPagedSearch,
  component: lazyRouteComponent(() => import("./users-page.tsx"), "UsersPage"),
});

export const usersRoutes = [usersRoute] as const;
