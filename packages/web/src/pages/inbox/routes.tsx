import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { framedRoute } from "../roots.tsx";

const inboxRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/inbox",
  validateSearch: (search): { show?: "unread"; before?: string } => ({
    ...(search["show"] === "unread" ? { show: "unread" } : {}),
    ...(typeof search["before"] === "string" ? { before: search["before"] } : {}),
  }),
  component: lazyRouteComponent(() => import("./inbox-page.tsx"), "InboxPage"),
});

export const inboxRoutes = [inboxRoute] as const;
