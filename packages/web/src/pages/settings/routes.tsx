import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { textParameters } from "../../components/search/search-terms.ts";
import { framedRoute } from "../roots.tsx";

const settingsRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings-frame.tsx"), "SettingsFrame"),
});

const indexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/",
  beforeLoad: () => {
    redirect({ to: "/settings/account", throw: true });
  },
});

const accountRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/account",
  component: lazyRouteComponent(() => import("./account-page.tsx"), "AccountPage"),
});

const securityRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/security",
  // The reason why the conversion to a login provider failed.
  validateSearch: (search) => textParameters(search, "error", "provider"),
  component: lazyRouteComponent(() => import("./security-page.tsx"), "SecurityPage"),
});

const tokensRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/tokens",
  component: lazyRouteComponent(() => import("./tokens-page.tsx"), "TokensPage"),
});

const sshKeysRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/ssh-keys",
  component: lazyRouteComponent(() => import("./ssh-keys-page.tsx"), "SshKeysPage"),
});

const externalAuthRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/external-auth",
  component: lazyRouteComponent(() => import("./external-auth-page.tsx"), "ExternalAuthPage"),
});

const notificationsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/notifications",
  component: lazyRouteComponent(() => import("./notifications-page.tsx"), "NotificationsPage"),
});

const appearanceRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/appearance",
  component: lazyRouteComponent(() => import("./appearance-page.tsx"), "AppearancePage"),
});

export const settingsRoutes = [
  settingsRoute.addChildren([
    indexRoute,
    accountRoute,
    securityRoute,
    tokensRoute,
    sshKeysRoute,
    externalAuthRoute,
    notificationsRoute,
    appearanceRoute,
  ]),
] as const;
