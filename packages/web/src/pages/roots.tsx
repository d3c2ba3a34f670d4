import { getFirstUser } from "@slipway/api/users/routes";
import { ApiError } from "@slipway/sdk/http";
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, Outlet, redirect } from "@tanstack/react-router";

import { client } from "../api/client.ts";
import { beginSession } from "../api/page-session.ts";
import { meQuery, rightsQuery } from "../api/session.ts";
import { PageFailure } from "../components/page-failure.tsx";
import { Shell } from "../components/shell/shell.tsx";
import { NotFoundPage } from "./errors/not-found-page.tsx";
import { MemberPages } from "./member-pages.tsx";

/* The routes above the pages. Each folder of pages adds its own to one of them, in its `routes.tsx`. */

export interface RouterContext {
  readonly cache: QueryClient;
}

export const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

/** The parent of all pages for people who are logged in. */
export const memberRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "member",
  beforeLoad: async ({ context: { cache }, location }) => {
    try {
      const [me] = await Promise.all([
        cache.ensureQueryData(meQuery),
        cache.ensureQueryData(rightsQuery),
      ]);
      beginSession(me);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      if (!(await hasUsers())) redirect({ to: "/setup", throw: true });
      const isStart = location.pathname === "/";
      const search = isStart ? {} : { redirect: location.href };
      redirect({ to: "/login", search, throw: true });
    }
  },
  component: MemberPages,
  errorComponent: PageFailure,
});

/** The parent of pages with the sidebar. */
export const framedRoute = createRoute({
  getParentRoute: () => memberRoute,
  id: "framed",
  component: Shell,
});

/** Returns whether the deployment has its first user. */
export async function hasUsers(): Promise<boolean> {
  try {
    await client.call(getFirstUser);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}
