import { listRegions } from "@slipway/api/deployment/routes";
import type { User } from "@slipway/api/users/user";
import { type AppRegion, primaryRegion } from "@slipway/api/workspaces/app-url";
import { useQuery } from "@tanstack/react-query";
import { createContext, useContext, useMemo } from "react";

import { routeQuery } from "../../api/queries.ts";
import { useMe, useRights } from "../../api/session.ts";
import { useNow } from "../../ui/time.tsx";

/** The facts that all rows of a list need, read once for all of them: rows come and go with each frame of a scroll. */
export interface ListViewer {
  readonly me: User;
  readonly mayWriteTemplates: boolean;
  /** The region at whose hosts apps are opened. */
  readonly region: AppRegion;
  readonly now: Date;
}

export const ListViewerContext = createContext<ListViewer | undefined>(undefined);

/** Reads it for a list. */
export function useNewListViewer(): ListViewer {
  const me = useMe();
  const { createTemplates: mayWriteTemplates } = useRights();
  const regions = useQuery({ ...routeQuery(listRegions), staleTime: Infinity });
  const primary = regions.data?.regions.find(({ name }) => name === primaryRegion);
  const wildcard = primary?.wildcard_hostname ?? "";
  const now = useNow();
  return useMemo(
    () => ({
      me,
      mayWriteTemplates,
      region: { path_app_url: location.origin, wildcard_hostname: wildcard },
      now,
    }),
    [me, mayWriteTemplates, wildcard, now],
  );
}

/** Returns it in a row. */
export function useListViewer(): ListViewer {
  const viewer = useContext(ListViewerContext);
  if (viewer === undefined) throw new Error("this component is not in a list of workspaces");
  return viewer;
}
