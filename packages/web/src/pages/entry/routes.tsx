import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { textParameters } from "../../components/search/search-terms.ts";
import { hasUsers, memberRoute, rootRoute } from "../roots.tsx";

export interface LogInSearch {
  /** The path to go on at. */
  readonly redirect?: string;
  /** The session has ended. */
  readonly expired?: true;
  /** The reason for a failed log-in at a provider, and the provider. */
  readonly error?: string;
  readonly provider?: string;
}

const logInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search): LogInSearch => ({
    ...textParameters(search, "redirect", "error", "provider"),
    ...(search["expired"] === true ? { expired: true } : {}),
  }),
  component: lazyRouteComponent(() => import("./log-in-page.tsx"), "LogInPage"),
});

const setUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  beforeLoad: async () => {
    if (await hasUsers()) redirect({ to: "/login", throw: true });
  },
  component: lazyRouteComponent(() => import("./set-up-page.tsx"), "SetUpPage"),
});

const cliAuthRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: "/cli-auth",
  component: lazyRouteComponent(() => import("./cli-auth-page.tsx"), "CliAuthPage"),
});

const deviceRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: "/login/device",
  validateSearch: (search) => textParameters(search, "code"),
  component: lazyRouteComponent(() => import("./device-page.tsx"), "DevicePage"),
});

/** The pages before the log-in. */
export const entryRoutes = [logInRoute, setUpRoute] as const;
/** The pages for people whom a program has sent. */
export const programRoutes = [cliAuthRoute, deviceRoute] as const;
