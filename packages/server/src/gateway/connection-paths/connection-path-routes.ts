import {
  type ConnectionPath,
  listConnectionPaths,
} from "@slipway/api/agents/connection-path-routes";
import type { DerpMap } from "@slipway/api/agents/derp-map";

import { selectOpenTerminals } from "../../features/agents/connections/connection-log-queries.ts";
import { selectServersAddresses } from "../../features/agents/connections/visits.ts";
import type { ReadDerpMap } from "../../features/agents/manifest/derp-map.ts";
import {
  type ReachNeeds,
  requireConnected,
  requireReachable,
} from "../../features/agents/service.ts";
import { NotFound } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { AgentHttp } from "../agent-http/agent-http.ts";
import { type AgentSession, parseAgentSessions, type SessionPath } from "./agent-sessions.ts";

interface ConnectionPathNeeds extends ReachNeeds {
  readonly agents: AgentHttp;
  readonly readDerpMap: ReadDerpMap;
}

const path = "/api/v0/connections";
/** The maximum size of the agent's list, in bytes. */
const maxAnswerBytes = 128 * 1024;

/** Adds the route that asks an agent for the paths to its clients. */
export function addConnectionPathRoutes(routes: Routes, needs: ConnectionPathNeeds): void {
  const { db, agents, readDerpMap } = needs;
  routes.user(listConnectionPaths, async ({ params, raw }, user) => {
    await requireReachable(db, user, params.agent);
    await requireConnected(needs, user, params.agent);
    const agentId = requireUuid(params.agent);
    const sessions = await routes.waitFor(raw, (signal) => askAgent(agents, agentId, signal));
    const [servers, terminals] = await Promise.all([
      selectServersAddresses(
        db,
        sessions.flatMap(({ address }) => address ?? []),
      ),
      selectOpenTerminals(db, agentId),
    ]);
    const isServers = ({ address }: AgentSession): boolean =>
      address !== null && servers.has(address);
    // A terminal that the server opens has one id in the list of connections, and another one with the agent.
    const toServer = sessions.find((one) => isServers(one) && one.path !== undefined)?.path;
    const own = sessions.filter((one) => !isServers(one));
    const known = new Set(own.map(({ id }) => id));
    const pathOf = (
      id: string,
      kind: ConnectionPath["kind"],
      found?: SessionPath,
    ): ConnectionPath => ({
      connection_id: id,
      kind,
      region: found?.kind === "relay" ? regionName(readDerpMap(), found.regionId) : null,
      latency_ms: found?.latencyMs ?? null,
    });
    return {
      paths: [
        ...own.flatMap(({ id, path: found }) =>
          found === undefined ? [] : [pathOf(id, found.kind, found)],
        ),
        ...terminals.filter((id) => !known.has(id)).map((id) => pathOf(id, "server", toServer)),
      ],
    };
  });
}

function regionName({ Regions: regions }: DerpMap, id: number): string {
  return regions[id]?.RegionName ?? `region ${id}`;
}

/** Resolves to the sessions that an agent lists; stock agents list none. */
async function askAgent(
  agents: AgentHttp,
  agentId: string,
  signal: AbortSignal,
): Promise<readonly AgentSession[]> {
  try {
    const call = { method: "GET", path, maxAnswerBytes, signal } as const;
    return parseAgentSessions(await agents.json(agentId, call));
  } catch (error) {
    if (error instanceof NotFound) return [];
    throw error;
  }
}
