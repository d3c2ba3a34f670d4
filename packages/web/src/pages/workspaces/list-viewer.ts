import { listRegions } from "@slipway/api/deployment/routes";
import type { User } from "@slipway/api/users/user";
import { type AppRegion, primaryRegion } from "@slipway/api/workspaces/app-url";
import {
  favoriteWorkspace,
  listWorkspaces,
  unfavoriteWorkspace,
} from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useMemo } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { useMe, useRights } from "../../api/session.ts";
import type { WorkspaceAction } from "../../components/workspaces/action-refusal.ts";
import { errorText } from "../../ui/error-text.ts";
import { useNow } from "../../ui/time.tsx";
import { useToaster } from "../../ui/toasts.tsx";

/** An action on a workspace that waits to be confirmed. */
export interface AskedAction {
  readonly action: WorkspaceAction;
  readonly workspace: Workspace;
}

/** The facts and actions that all rows of a list share: rows come and go with each frame of a scroll. */
export interface ListViewer {
  readonly me: User;
  readonly mayWriteTemplates: boolean;
  /** The region at whose hosts apps are opened. */
  readonly region: AppRegion;
  readonly now: Date;
  /** Asks whether to carry out an action. The list may change meanwhile. */
  readonly ask: (asked: AskedAction) => void;
  readonly favor: (workspace: Workspace, isFavorite: boolean) => void;
}

export const ListViewerContext = createContext<ListViewer | undefined>(undefined);

/** Reads it for a list. */
export function useNewListViewer(ask: ListViewer["ask"]): ListViewer {
  const me = useMe();
  const { createTemplates: mayWriteTemplates } = useRights();
  const regions = useQuery({ ...routeQuery(listRegions), staleTime: Infinity });
  const primary = regions.data?.regions.find(({ name }) => name === primaryRegion);
  const wildcard = primary?.wildcard_hostname ?? "";
  const now = useNow();
  const favor = useFavor();
  return useMemo(
    () => ({
      me,
      mayWriteTemplates,
      region: { path_app_url: location.origin, wildcard_hostname: wildcard },
      now,
      ask,
      favor,
    }),
    [me, mayWriteTemplates, wildcard, now, ask, favor],
  );
}

function useFavor(): ListViewer["favor"] {
  const cache = useQueryClient();
  const toaster = useToaster();
  return useCallback(
    (workspace, isFavorite) => {
      const route = isFavorite ? favoriteWorkspace : unfavoriteWorkspace;
      client
        .call(route, { params: { workspace: workspace.id } })
        .then(() => refresh(cache, listWorkspaces))
        .catch((error: unknown) => toaster.fail(errorText(error)));
    },
    [cache, toaster],
  );
}

/** Returns it in a row. */
export function useListViewer(): ListViewer {
  const viewer = useContext(ListViewerContext);
  if (viewer === undefined) throw new Error("this component is not in a list of workspaces");
  return viewer;
}
