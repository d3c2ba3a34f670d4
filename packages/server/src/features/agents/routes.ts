import { getAgent } from "@slipway/api/agents/routes";
import type { Clock } from "@slipway/runtime";

import type { Database } from "../../platform/db/database.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { gatherAgents, readAgent } from "./service.ts";

interface AgentRouteNeeds {
  readonly db: Database;
  readonly clock: Clock;
}

/** Adds the route by which users see an agent. */
export function addAgentRoutes(routes: Routes, { db, clock }: AgentRouteNeeds): void {
  const findAgent = gatherAgents(db);
  routes.user(getAgent, ({ params }, user) =>
    readAgent(findAgent, user, requireUuid(params.agent), clock.now()),
  );
}
