import { listWorkspaces } from "@slipway/api/workspaces/routes";
import { watchWorkspaces } from "@slipway/api/workspaces/watch-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { WorkspacesResponse } from "@slipway/api/workspaces/workspace";
import {
  keepPreviousData,
  useQueries,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";

import { refresh, type RouteQuery, routeQuery } from "../../api/queries.ts";
import { useStream } from "../../api/use-stream.ts";
import { type ListSearch, pageQuery, pageSize } from "./list-search.ts";

/** The interval at which a list that is looked at is read without news: an agent that falls silent sends none. */
const repeatMs = 120_000;
/** The minimum time between two reads of a list that changes. */
const paceMs = 1_000;

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

/** Reads the list again when workspaces of it change. Returns false while the connection is lost. */
export function useLiveList(): boolean {
  const cache = useQueryClient();
  const readAgain = usePaced(
    useCallback(() => void refresh(cache, listWorkspaces), [cache]),
    paceMs,
  );
  return useStream(watchWorkspaces, {}, readAgain);
}

/** Returns a function that calls another one at once, and then at most once in an interval. */
function usePaced(call: () => void, intervalMs: number): () => void {
  const state = useRef({ lastMs: Number.NEGATIVE_INFINITY, timer: 0 });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return useCallback(() => {
    const { lastMs, timer } = state.current;
    if (timer !== 0) return;
    const run = (): void => {
      state.current = { lastMs: performance.now(), timer: 0 };
      call();
    };
    const waitMs = lastMs + intervalMs - performance.now();
    if (waitMs <= 0) run();
    else state.current.timer = window.setTimeout(run, waitMs);
  }, [call, intervalMs]);
}
