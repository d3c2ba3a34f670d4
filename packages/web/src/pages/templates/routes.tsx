import { createRoute, lazyRouteComponent, notFound } from "@tanstack/react-router";

import { textParameters } from "../../components/search/search-terms.ts";
import { framedRoute } from "../roots.tsx";

const templatesRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/templates",
  validateSearch: (search) => textParameters(search, "q"),
  component: lazyRouteComponent(() => import("./templates-page.tsx"), "TemplatesPage"),
});

const templateRoute = createRoute({
  getParentRoute: () => framedRoute,
  path: "/templates/$template",
  component: lazyRouteComponent(() => import("./template-frame.tsx"), "TemplateFrame"),
});

const overviewRoute = createRoute({
  getParentRoute: () => templateRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./overview-page.tsx"), "OverviewPage"),
});

const versionsRoute = createRoute({
  getParentRoute: () => templateRoute,
  path: "/versions",
  validateSearch: (search): { archived?: true } =>
    search["archived"] === true ? { archived: true } : {},
  component: lazyRouteComponent(() => import("./versions-page.tsx"), "VersionsPage"),
});

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The options of the pages of a version: nothing is at an address whose id is not one. */
const ofVersion = {
  beforeLoad: ({ params }: { readonly params: { readonly version: string } }): void => {
    if (!uuidForm.test(params.version)) notFound({ throw: true });
  },
  notFoundComponent: lazyRouteComponent(() => import("./missing-version.tsx"), "MissingVersion"),
} as const;

const versionRoute = createRoute({
  getParentRoute: () => templateRoute,
  path: "/versions/$version",
  validateSearch: (search) => textParameters(search, "from"),
  ...ofVersion,
  component: lazyRouteComponent(() => import("./version-page.tsx"), "VersionPage"),
});

const editRoute = createRoute({
  getParentRoute: () => templateRoute,
  path: "/versions/$version/edit",
  ...ofVersion,
  component: lazyRouteComponent(() => import("./edit-page.tsx"), "EditPage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => templateRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings-page.tsx"), "TemplateSettingsPage"),
});

export const templatesRoutes = [
  templatesRoute,
  templateRoute.addChildren([overviewRoute, versionsRoute, versionRoute, editRoute, settingsRoute]),
] as const;
