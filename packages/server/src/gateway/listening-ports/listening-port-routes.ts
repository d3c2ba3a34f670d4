import { getListeningPorts } from "@slipway/api/agents/listening-port-routes";

import {
  type ReachNeeds,
  requireConnected,
  requireReachable,
} from "../../features/agents/service.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { AgentHttp } from "../agent-http/agent-http.ts";
import { parseListeningPorts, visiblePorts } from "./listening-ports.ts";

interface ListeningPortNeeds extends ReachNeeds {
  readonly agents: AgentHttp;
}

const path = "/api/v0/listening-ports";
/** The maximum size of the list, in bytes. */
const maxAnswerBytes = 1024 * 1024;

/** Adds the route that asks an agent for the ports of its workspace (docs/protocol/rest.md §6.4). */
export function addListeningPortRoutes(routes: Routes, needs: ListeningPortNeeds): void {
  const { db, agents } = needs;
  routes.user(getListeningPorts, async ({ params, raw }, user) => {
    await requireReachable(db, user, params.agent);
    await requireConnected(needs, user, params.agent);
    const agentId = requireUuid(params.agent);
    const answer = await routes.waitFor(raw, (signal) =>
      agents.json(agentId, { method: "GET", path, maxAnswerBytes, signal }),
    );
    const ports = parseListeningPorts(answer);
    return { ports: visiblePorts(ports, await selectAppUrls(db, agentId)) };
  });
}

/** Selects the URLs of an agent's apps. */
async function selectAppUrls(db: Queryable, agentId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("workspace_apps")
    .where("workspace_agent_id", "=", agentId)
    .where("url", "is not", null)
    .select("url")
    .execute();
  return rows.flatMap(({ url }) => url ?? []);
}
