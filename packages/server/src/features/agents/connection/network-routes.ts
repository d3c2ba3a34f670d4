import {
  type ConnectionInfo,
  coordinateAgent,
  deleteDevcontainer,
  getAgentConnection,
  getConnection,
  getContainers,
  getListeningPorts,
  joinTailnet,
  openTerminal,
  recreateDevcontainer,
  watchContainers,
  watchDerpMap,
} from "@slipway/api";
import { whenAborted, type Clock } from "@slipway/runtime";

import { mayActFor } from "../../../platform/auth/rights.ts";
import type { Database } from "../../../platform/db/database.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import { forbidden, HttpError, notFound } from "../../../platform/http/errors.ts";
import { encodeJson } from "../../../platform/http/json.ts";
import { keepAlive, refuseMessages } from "../../../platform/http/peer-socket.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { readUuid, requireUuid } from "../../../platform/http/uuid.ts";
import { requireAgentPlace, requireConnectedAgent } from "../service.ts";
import { negotiateVersion } from "./api-version.ts";

interface Needs {
  readonly db: Database;
  readonly clock: Clock;
}

/**
 * Adds the routes by which clients reach an agent. The server has no network to agents yet: routes that need one
 * validate the request and then answer as for an unreachable agent. Lists of reachable things are empty, so that a
 * stock `coder show` does not warn of failures.
 */
export function addNetworkRoutes(routes: Routes, needs: Needs): void {
  addConnectionRoutes(routes, needs);
  addContainerRoutes(routes, needs);
  addStreamRoutes(routes, needs);

  routes.user(getListeningPorts, async ({ params }, user) => {
    await requireConnected(needs, user, params.agent);
    return { ports: [] };
  });
}

function requireConnected({ db, clock }: Needs, user: UserCaller, agent: string): Promise<void> {
  return requireConnectedAgent(db, user, requireUuid(agent), clock.now());
}

/** Requires more than permission to see a workspace: the permission to connect to it (docs/protocol/clients.md §6). */
async function requireReachable({ db }: Needs, user: UserCaller, agent: string): Promise<void> {
  const place = await requireAgentPlace(db, user, requireUuid(agent));
  if (!mayActFor(user, place.owner_id)) throw notFound();
}

/** Creates the error of docs/protocol/rest.md §6.4. */
function unreachable(): HttpError {
  return new HttpError(500, "Internal error dialing workspace agent.", {
    detail: "agent is unreachable: this server has no network to its agents yet",
  });
}

/** There is no relay yet. */
const connection: ConnectionInfo = {
  derp_map: { Regions: {} },
  derp_force_websockets: false,
  disable_direct_connections: false,
  hostname_suffix: "coder",
};

function addConnectionRoutes(routes: Routes, { db }: Needs): void {
  routes.user(getConnection, async () => connection);
  routes.user(getAgentConnection, async ({ params }, user) => {
    await requireAgentPlace(db, user, requireUuid(params.agent));
    return connection;
  });
  routes.anyoneSocket(watchDerpMap, {
    prepare: async () => undefined,
    serve: async (socket) => {
      keepAlive(socket);
      refuseMessages(socket, 1008, "unexpected data message");
      // Binary, although it is text (docs/protocol/rest.md §6.7).
      socket.raw.send(Buffer.from(encodeJson(connection.derp_map)));
      await whenAborted(socket.signal);
    },
  });
}

function addContainerRoutes(routes: Routes, needs: Needs): void {
  routes.user(getContainers, async ({ params, query }, user) => {
    const agentId = requireUuid(params.agent);
    await requireAgentPlace(needs.db, user, agentId);
    const labels = [query.label ?? []].flat();
    if (labels.some((label) => label.split("=").length !== 2)) {
      throw new HttpError(400, "Invalid label format", {
        validations: [{ field: "label", detail: 'must be "key=value", with one "="' }],
      });
    }
    await requireConnected(needs, user, agentId);
    return { devcontainers: [], containers: [] };
  });
  routes.userSocket(watchContainers, {
    prepare: async ({ params }, user) => {
      await requireConnected(needs, user, params.agent);
      throw unreachable();
    },
    serve: async () => undefined,
  });
  for (const route of [deleteDevcontainer, recreateDevcontainer]) {
    routes.user(route, async ({ params }, user) => {
      const place = await requireAgentPlace(needs.db, user, requireUuid(params.agent));
      if (!mayActFor(user, place.owner_id)) {
        throw forbidden("Only its owner may change what runs in a workspace.");
      }
      await requireConnected(needs, user, params.agent);
      throw unreachable();
    });
  }
}

function addStreamRoutes(routes: Routes, needs: Needs): void {
  routes.userSocket(coordinateAgent, {
    prepare: async ({ params, query, raw }, user) => {
      await requireReachable(needs, user, params.agent);
      // Absent means a version that no server supports any more (docs/protocol/rest.md §6.8).
      negotiateVersion(query.version ?? "1.0");
      if (raw.headers.upgrade !== undefined) throw noNetwork();
    },
    serve: async () => undefined,
  });
  routes.userSocket(joinTailnet, {
    prepare: async ({ query, raw }) => {
      negotiateVersion(query.version);
      if (raw.headers.upgrade !== undefined) throw noNetwork();
    },
    serve: async () => undefined,
  });
  routes.userSocket(openTerminal, {
    prepare: async ({ params, query }, user) => {
      await requireReachable(needs, user, params.agent);
      await requireTerminalAgent(needs, user, requireUuid(params.agent));
      checkTerminalQuery(query);
    },
    serve: async (socket) => {
      const reason = "agent is unreachable: this server has no network to its agents yet";
      socket.close(1011, `dial workspace agent: ${reason}`);
    },
  });
}

/** Returns a status that makes stock clients give up and show the text; with others they retry forever. */
function noNetwork(): HttpError {
  return new HttpError(409, "Connections to workspaces are not available on this server.", {
    detail: "This server has no network to its agents yet.",
  });
}

async function requireTerminalAgent(needs: Needs, user: UserCaller, agent: string): Promise<void> {
  try {
    await requireConnected(needs, user, agent);
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 400) throw error;
    throw new HttpError(404, "Application Unavailable", { detail: error.message });
  }
}

interface TerminalQuery {
  readonly reconnect?: string;
  readonly width?: string;
  readonly height?: string;
  readonly backend_type?: string;
}

/** Validates the query, with the texts and the order of docs/protocol/rest.md §6.10. */
function checkTerminalQuery(query: TerminalQuery): void {
  const validations: { field: string; detail: string }[] = [];
  const { reconnect = "", backend_type: backend = "" } = query;
  const refuse = (field: string, wanted: string): void => {
    validations.push({ field, detail: `Query param "${field}" ${wanted}` });
  };
  if (reconnect === "") refuse("reconnect", "is required and cannot be empty");
  else if (readUuid(reconnect) === undefined) refuse("reconnect", "must be a valid uuid");
  for (const field of ["height", "width"] as const) {
    const size = query[field] ?? "";
    if (!/^\d{0,9}$/.test(size)) refuse(field, "must be a valid integer");
  }
  if (!["", "screen", "buffered"].includes(backend)) {
    refuse("backend_type", 'must be "screen" or "buffered"');
  }
  if (validations.length > 0) {
    throw new HttpError(400, "Invalid query parameters.", { validations });
  }
}
