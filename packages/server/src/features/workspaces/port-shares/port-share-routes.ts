import {
  listPortShares as listRoute,
  sharePort as shareRoute,
  unsharePort as unshareRoute,
} from "@slipway/api/workspaces/port-share-routes";

import { requireUuid } from "../../../platform/fields/uuid.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { listShares, type PortShareNeeds, sharePort, unsharePort } from "./service.ts";

/** Adds the routes for the ports of workspaces that other users may open. */
export function addPortShareRoutes(routes: Routes, needs: PortShareNeeds): void {
  routes.user(listRoute, async ({ params }, user) => ({
    shares: [...(await listShares(needs.db, user, requireUuid(params.workspace)))],
  }));
  routes.user(shareRoute, ({ params, body }, user) =>
    sharePort(needs, user, requireUuid(params.workspace), body),
  );
  routes.user(unshareRoute, async ({ params, body }, user) => {
    await unsharePort(needs, user, requireUuid(params.workspace), body);
    return null;
  });
}
