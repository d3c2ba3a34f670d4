import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { pageParameter, textParameters } from "../../components/search/search-terms.ts";
import { framedRoute } from "../roots.tsx";

export interface UsersSearch {
  readonly q?: string;
  readonly page?: number;
}

const usersRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/users",
  validateSearch: (search): UsersSearch => {
    const page = pageParameter(search["page"]);
    return { ...textParameters(search, "q"), ...(page !== undefined && { page }) };
  },
  component: lazyRouteComponent(() => import("./users-page.tsx"), "UsersPage"),
});

export const usersRoutes = [usersRoute] as const;
