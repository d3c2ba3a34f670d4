import { getAgent } from "@slipway/api/agents/routes";

import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { Platform } from "../../platform/platform.ts";
import { gatherAgents, readAgent } from "./service.ts";

/** Adds the route by which users see an agent. */
export function addAgentRoutes(
  routes: Routes,
  { db, clock }: Pick<Platform, "db" | "clock">,
): void {
  const findAgent = gatherAgents(db);
  routes.user(getAgent, ({ params }, user) =>
    readAgent(findAgent, user, requireUuid(params.agent), clock.now()),
  );
}
