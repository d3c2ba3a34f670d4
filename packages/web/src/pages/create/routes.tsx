import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { framedRoute } from "../roots.tsx";
import { readPrefill } from "./prefill.ts";

const chooseTemplateRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/workspaces/new",
  component: lazyRouteComponent(() => import("./choose-template-page.tsx"), "ChooseTemplatePage"),
});

/** The address that stock clients and buttons in READMEs open (docs/protocol/clients.md §1.2). */
const createWorkspaceRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/templates/$template/workspace",
  validateSearch: readPrefill,
  component: lazyRouteComponent(() => import("./create-workspace-page.tsx"), "CreateWorkspacePage"),
});

/** The same with the organization of the template. */
const createInOrganizationRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/templates/$organization/$template/workspace",
  validateSearch: readPrefill,
  component: lazyRouteComponent(() => import("./create-workspace-page.tsx"), "CreateWorkspacePage"),
});

export const createRoutes = [
  chooseTemplateRoute,
  createWorkspaceRoute,
  createInOrganizationRoute,
] as const;
