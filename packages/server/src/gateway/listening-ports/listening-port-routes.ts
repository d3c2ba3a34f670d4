import { getListeningPorts } from "@slipway/api/agents/listening-port-routes";
import { AgentHttpError, readAgentJson } from "@slipway/tailnet/node/agent-json";

import {
  type ReachNeeds,
  requireConnected,
  requireReachable,
} from "../../features/agents/service.ts";
import type { AgentReach } from "../../network/own-peer/own-peer.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { Unreachable } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import { watchClient } from "../../platform/http/client-disconnect.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { parseListeningPorts, visiblePorts } from "./listening-ports.ts";

interface ListeningPortNeeds extends ReachNeeds {
  readonly reach: AgentReach;
}

const path = "/api/v0/listening-ports";

/** Adds the route that asks an agent for the ports of its workspace (docs/protocol/rest.md §6.4). */
export function addListeningPortRoutes(routes: Routes, needs: ListeningPortNeeds): void {
  const { db, clock, reach } = needs;
  routes.user(getListeningPorts, async ({ params, raw }, user) => {
    await requireReachable(db, user, params.agent);
    await requireConnected(needs, user, params.agent);
    const agentId = requireUuid(params.agent);
    using client = watchClient(raw);
    const { signal } = client;
    const agent = await reach.reachAgent(agentId, signal);
    try {
      const ports = parseListeningPorts(await readAgentJson(agent, { path, clock, signal }));
      return { ports: visiblePorts(ports, await selectAppUrls(db, agentId)) };
    } catch (cause) {
      if (!(cause instanceof AgentHttpError)) throw cause;
      const problem = "Internal error fetching listening ports.";
      throw new Unreachable(problem, { detail: cause.message, cause });
    }
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
