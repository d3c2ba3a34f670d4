import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { pageParameter, textParameters } from "../../components/search/search-terms.ts";
import { framedRoute } from "../roots.tsx";

/** The filters of the audit trail in the address of its page. */
export interface AuditSearch {
  readonly q?: string;
  readonly action?: string;
  readonly type?: string;
  readonly user?: string;
  /** Days such as 2026-01-31, both inclusive. */
  readonly from?: string;
  readonly to?: string;
  readonly page?: number;
}

const auditRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/audit",
  validateSearch: (search): AuditSearch =>
    readFilters(search, ["q", "action", "type", "user", "from", "to"]),
  component: lazyRouteComponent(() => import("./audit-page.tsx"), "AuditPage"),
});

/** The filters of the connection log in the address of its page. */
export interface ConnectionSearch {
  readonly q?: string;
  readonly type?: string;
  readonly status?: string;
  readonly page?: number;
}

const connectionsRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/connectionlog",
  validateSearch: (search): ConnectionSearch => readFilters(search, ["q", "type", "status"]),
  component: lazyRouteComponent(() => import("./connections-page.tsx"), "ConnectionsPage"),
});

export const recordsRoutes = [auditRoute, connectionsRoute] as const;

/** Reads texts and the page from the address, without those that are empty. */
function readFilters<K extends string>(
  search: Readonly<Record<string, unknown>>,
  names: readonly K[],
): { readonly [N in K]?: string } & { readonly page?: number } {
  const page = pageParameter(search["page"]);
  return { ...textParameters(search, ...names), ...(page !== undefined && { page }) };
}
