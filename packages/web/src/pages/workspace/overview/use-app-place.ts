import { listRegions } from "@slipway/api/deployment/routes";
import { type AppPlace, primaryRegion } from "@slipway/api/workspaces/app-url";
import { useQuery } from "@tanstack/react-query";

import { routeQuery } from "../../../api/queries.ts";
import { useWorkspace } from "../use-workspace.tsx";

/** Returns where the apps and ports of the workspace are opened: on the host of this page, or below its wildcard. */
export function useAppPlace(): AppPlace {
  const workspace = useWorkspace();
  const regions = useQuery({ ...routeQuery(listRegions), staleTime: Infinity });
  const primary = regions.data?.regions.find(({ name }) => name === primaryRegion);
  return {
    workspace,
    region: {
      path_app_url: location.origin,
      wildcard_hostname: primary?.wildcard_hostname ?? "",
    },
  };
}
