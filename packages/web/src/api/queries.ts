import type { ParamsOf, QueryOf, ResponseOf, Route } from "@slipway/api/contract/route";
import type { QueryClient, QueryFunction } from "@tanstack/react-query";

import { client } from "./client.ts";

interface RouteInput<R extends Route> {
  readonly params?: ParamsOf<R>;
  readonly query?: QueryOf<R>;
}

/** The key of a route's answer in the cache; the keys of one route begin alike. */
type RouteKey = readonly [path: string, params: unknown, query: unknown];

/** The options of a query for `useQuery`. */
export interface RouteQuery<T> {
  readonly queryKey: RouteKey;
  readonly queryFn: QueryFunction<T, RouteKey>;
}

/** Returns the options of a query that reads a route. */
export function routeQuery<R extends Route>(
  route: R,
  input: RouteInput<R> = {},
): RouteQuery<ResponseOf<R>> {
  return {
    queryKey: routeKey(route, input),
    queryFn: ({ signal }) => client.call(route, { ...input, signal }),
  };
}

/** Returns the key of one answer of a route. */
function routeKey<R extends Route>(route: R, input: RouteInput<R> = {}): RouteKey {
  return [route.path, input.params ?? {}, input.query ?? {}];
}

/**
 * Sets an answer that a stream has sent. A read that began before is canceled: it would put an older answer in its
 * place, and a stream is silent until the next change.
 */
export function setStreamed<T>(
  cache: QueryClient,
  { queryKey }: Pick<RouteQuery<T>, "queryKey">,
  answer: T,
): void {
  void cache.cancelQueries({ queryKey, exact: true });
  cache.setQueryData(queryKey, answer);
}

/** Reads again what the cache has of some routes, whatever their parameters. */
export async function refresh(
  cache: QueryClient,
  ...routes: readonly Pick<Route, "path">[]
): Promise<void> {
  await Promise.all(routes.map(({ path }) => cache.invalidateQueries({ queryKey: [path] })));
}
