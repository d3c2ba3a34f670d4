import type { Route } from "./route.ts";

/** A route and its export name. */
export interface NamedRoute {
  readonly name: string;
  readonly route: Route;
}

/** Lists all routes of the contract; `contract` is the module of this package. */
export function routesOf(contract: Readonly<Record<string, unknown>>): readonly NamedRoute[] {
  return Object.entries(contract)
    .flatMap(([name, value]) => (isRoute(value) ? [{ name, route: value }] : []))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function isRoute(value: unknown): value is Route {
  return (
    typeof value === "object" &&
    value !== null &&
    ["method", "path", "summary"].every((key) => key in value)
  );
}
