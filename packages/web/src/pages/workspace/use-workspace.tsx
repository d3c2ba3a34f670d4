import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { watchWorkspaceSocket } from "@slipway/api/workspaces/watch-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { createContext, useContext } from "react";

import { type RouteQuery, routeQuery, setStreamed } from "../../api/queries.ts";
import { type StreamState, useStream } from "../../api/use-stream.ts";
import { parseWorkspaceAddress } from "../../components/workspaces/workspace-address.ts";

const route = getRouteApi("/member/framed/@{$owner}/$workspace");

/** Returns the owner and the name of the workspace in the address. */
export function useWorkspaceAddress(): { readonly owner: string; readonly name: string } {
  const { owner, workspace } = route.useParams();
  return { owner, name: parseWorkspaceAddress(workspace).name };
}

/** Returns the query for the workspace of the address; a deleted one too, which still has its history. */
export function useWorkspaceQuery(): RouteQuery<Workspace> {
  const { owner: user, name } = useWorkspaceAddress();
  return routeQuery(getWorkspaceByName, {
    params: { user, name },
    query: { include_deleted: "true" },
  });
}

/** Keeps the workspace of the address up to date. */
export function useLiveWorkspace(id: string): StreamState {
  const query = useWorkspaceQuery();
  const cache = useQueryClient();
  return useStream(
    watchWorkspaceSocket,
    { params: { workspace: id } },
    {
      onMessage: ({ type, data }) => {
        if (type === "data" && data !== null) setStreamed(cache, query, data);
      },
      onMissed: () => void cache.invalidateQueries({ queryKey: query.queryKey, exact: true }),
    },
  );
}

/** The workspace that the pages below the address show. */
export const WorkspaceContext = createContext<Workspace | undefined>(undefined);

export function useWorkspace(): Workspace {
  const workspace = useContext(WorkspaceContext);
  if (workspace === undefined) throw new Error("this component is not in the page of a workspace");
  return workspace;
}

/** Returns the parameters of the address, for links to other pages of the workspace. */
export function useWorkspaceParams(): { readonly owner: string; readonly workspace: string } {
  const { owner_name: owner, name: workspace } = useWorkspace();
  return { owner, workspace };
}
