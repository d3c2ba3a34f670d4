import type { QueryClient } from "@tanstack/react-query";
import { createRoute, createRouter, redirect } from "@tanstack/react-router";

import { PageFailure } from "./components/page-failure.tsx";
import { createRoutes } from "./pages/create/routes.tsx";
import { deploymentRoutes } from "./pages/deployment/routes.tsx";
import { designRoutes } from "./pages/design/routes.tsx";
import { entryRoutes, programRoutes } from "./pages/entry/routes.tsx";
import { NotFoundPage } from "./pages/errors/not-found-page.tsx";
import { inboxRoutes } from "./pages/inbox/routes.tsx";
import { poolsRoutes } from "./pages/pools/routes.tsx";
import { provisionersRoutes } from "./pages/provisioners/routes.tsx";
import { recordsRoutes } from "./pages/records/routes.tsx";
import { framedRoute, memberRoute, rootRoute } from "./pages/roots.tsx";
import { settingsRoutes } from "./pages/settings/routes.tsx";
import { templatesRoutes } from "./pages/templates/routes.tsx";
import { terminalRoutes } from "./pages/terminal/routes.tsx";
import { usersRoutes } from "./pages/users/routes.tsx";
import { workspaceRoutes } from "./pages/workspace/routes.tsx";
import { workspacesRoutes } from "./pages/workspaces/routes.tsx";

const startRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: "/",
  beforeLoad: () => {
    redirect({ to: "/workspaces", throw: true });
  },
});

const routeTree = rootRoute.addChildren([
  ...entryRoutes,
  memberRoute.addChildren([
    startRoute,
    ...programRoutes,
    framedRoute.addChildren([
      ...workspacesRoutes,
      ...createRoutes,
      ...workspaceRoutes,
      ...inboxRoutes,
      ...templatesRoutes,
      ...poolsRoutes,
      ...settingsRoutes,
      ...usersRoutes,
      ...recordsRoutes,
      ...provisionersRoutes,
      ...deploymentRoutes,
      ...designRoutes,
    ]),
    ...terminalRoutes,
  ]),
]);

/** Creates the router of the dashboard; `cache` holds what its pages read. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types -- the type of the tree is all its routes
export function createDashboardRouter(cache: QueryClient) {
  return createRouter({
    routeTree,
    context: { cache },
    defaultPreload: "intent",
    defaultErrorComponent: PageFailure,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createDashboardRouter>;
  }
}
