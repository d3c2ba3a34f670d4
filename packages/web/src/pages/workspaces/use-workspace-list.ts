import { listWorkspaces } from "@slipway/api/workspaces/routes";
import { watchWorkspaces } from "@slipway/api/workspaces/watch-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { WorkspacesResponse } from "@slipway/api/workspaces/workspace";
import { webClock } from "@slipway/runtime";
import {
  keepPreviousData,
  type QueryClient,
  useQueries,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { client } from "../../api/client.ts";
import { refresh, type RouteQuery, routeQuery } from "../../api/queries.ts";
import { type StreamState, useStream } from "../../api/use-stream.ts";
import { ListReader } from "./list-reader.ts";
import { type ListSearch, pageQuery, pageSize } from "./list-search.ts";

/** The interval at which a list that is looked at is read without news: an agent that falls silent sends none. */
const repeatMs = 120_000;
/** The maximum number of rows that are read by their ids: a search has 1,024 characters. */
const maxRows = 25;
/** The time allowed for such a read: the list, which says what is wrong, waits for it. */
const maxReadMs = 5_000;

function queryOf(search: ListSearch, page: number): RouteQuery<WorkspacesResponse> {
  return routeQuery(listWorkspaces, { query: pageQuery(search, page) });
}

/** Reads the first page of a list, which tells how long it is. */
export function useFirstPage(search: ListSearch): UseQueryResult<WorkspacesResponse> {
  return useQuery({
    ...queryOf(search, 0),
    refetchInterval: repeatMs,
    // A search that changes leaves the rows of the last one until its own are there.
    placeholderData: keepPreviousData,
  });
}

/** Reads the pages of a list that are in view; returns the workspace at a place, or undefined while it is on its way. */
export function useListPages(
  search: ListSearch,
  first: WorkspacesResponse | undefined,
  pages: readonly number[],
): (index: number) => Workspace | undefined {
  const later = pages.filter((page) => page > 0);
  const results = useQueries({
    queries: later.map((page) => ({ ...queryOf(search, page), refetchInterval: repeatMs })),
  });
  const byPage = new Map([
    [0, first],
    ...later.map((page, at) => [page, results[at]?.data] as const),
  ]);
  return (index) => byPage.get(Math.floor(index / pageSize))?.workspaces[index % pageSize];
}

/** Follows the changes to workspaces of the list. */
export function useLiveList(): StreamState {
  const cache = useQueryClient();
  const reader = useRef<ListReader>(undefined);
  useEffect(() => {
    const ended = new AbortController();
    reader.current = new ListReader({
      clock: webClock,
      readList: () => refresh(cache, listWorkspaces),
      readRows: (ids) => readRows(cache, ids, ended.signal),
    });
    reader.current.run(ended.signal).catch((error: unknown) => {
      if (!ended.signal.aborted) throw error;
    });
    return () => ended.abort();
  }, [cache]);
  return useStream(
    watchWorkspaces,
    {},
    {
      onMessage: (change) => reader.current?.hear(change),
      onMissed: () => reader.current?.hear({ workspaces: [], many: true }),
    },
  );
}

/** Returns the query for at most `maxRows` workspaces by their ids. */
function rowsQuery(ids: readonly string[]): { readonly q: string; readonly limit: string } {
  return { q: `id:${ids.join(",")}`, limit: String(maxRows) };
}

/**
 * Returns selected workspaces as they are now, without those that are gone, whether or not the list still has them in
 * view. `selected` has each as it was when it was selected, which stands until it is read.
 */
export function useSelected(selected: ReadonlyMap<string, Workspace>): readonly Workspace[] {
  const all = [...selected.values()];
  const parts = Array.from({ length: Math.ceil(all.length / maxRows) }, (_, part) =>
    all.slice(part * maxRows, (part + 1) * maxRows),
  );
  const reads = useQueries({
    queries: parts.map((part) =>
      routeQuery(listWorkspaces, { query: rowsQuery(part.map(({ id }) => id)) }),
    ),
  });
  return parts.flatMap((part, at) => {
    const now = reads[at]?.data?.workspaces;
    if (now === undefined) return part;
    return part.flatMap(({ id }) => now.filter((one) => one.id === id));
  });
}

/** Reads those of some workspaces whose pages are in the cache, and puts them into their places. */
async function readRows(
  cache: QueryClient,
  ids: readonly string[],
  ended: AbortSignal,
): Promise<void> {
  const pages = { queryKey: [listWorkspaces.path] };
  const shown = new Set(
    cache
      .getQueriesData<WorkspacesResponse>({ ...pages, type: "active" })
      .flatMap(([, page]) => page?.workspaces.map(({ id }) => id) ?? []),
  );
  // The others come with the list.
  const wanted = ids.filter((id) => shown.has(id)).slice(0, maxRows);
  if (wanted.length === 0) return;
  const query = rowsQuery(wanted);
  const signal = AbortSignal.any([ended, AbortSignal.timeout(maxReadMs)]);
  const rows = await client.call(listWorkspaces, { query, signal }).then(
    ({ workspaces }) => new Map(workspaces.map((row) => [row.id, row])),
    () => new Map<string, Workspace>(),
  );
  cache.setQueriesData<WorkspacesResponse>(
    pages,
    (page) =>
      page && { ...page, workspaces: page.workspaces.map((row) => rows.get(row.id) ?? row) },
  );
}
