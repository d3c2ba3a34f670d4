import { getListeningPorts } from "@slipway/api";

import type { Routes } from "../../../platform/http/routes.ts";
import { type ReachNeeds, requireConnected } from "./reach.ts";

export function addListeningPortRoutes(routes: Routes, needs: ReachNeeds): void {
  routes.user(getListeningPorts, async ({ params }, user) => {
    await requireConnected(needs, user, params.agent);
    return { ports: [] };
  });
}
