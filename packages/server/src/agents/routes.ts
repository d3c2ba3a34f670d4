import {
  agentReinit,
  agentRpc,
  type AgentLog,
  getAgent,
  getAgentLogs,
  getAgentStartupLogs,
  watchAgentMetadata,
  watchAgentMetadataSocket,
} from "@slipway/api";
import { errorText } from "@slipway/runtime";

import type { Database } from "../db/database.ts";
import { HttpError } from "../http/errors.ts";
import { openEventStream } from "../http/event-stream.ts";
import { type LogRange, readLogRange } from "../http/log-range.ts";
import { keepAlive, pingIntervalMs, refuseMessages } from "../http/peer-socket.ts";
import type { RouteRequest, Routes } from "../http/routes.ts";
import { requireUuid } from "../http/uuid.ts";
import { negotiateVersion } from "./api-version.ts";
import { addIdentityRoutes } from "./identity-routes.ts";
import { maxLogsPerRead, readLogs } from "./log-store.ts";
import { streamAgentLogs } from "./log-stream.ts";
import { logText } from "./log-text.ts";
import { watchMetadata } from "./metadata-stream.ts";
import { addNetworkRoutes } from "./network-routes.ts";
import { addOwnRoutes } from "./own-routes.ts";
import { selectLogSources } from "./read-queries.ts";
import { type AgentRpcNeeds, serveAgentRpc } from "./rpc-route.ts";
import { readAgent, requireAgentPlace } from "./service.ts";

export function addAgentRoutes(routes: Routes, needs: AgentRpcNeeds): void {
  const { db, clock } = needs;
  routes.user(getAgent, ({ params }, user) =>
    readAgent(db, user, requireUuid(params.agent), clock.now()),
  );
  addLogRoutes(routes, needs);
  addMetadataRoutes(routes, needs);
  addOwnRoutes(routes, needs);
  addNetworkRoutes(routes, needs);
  addIdentityRoutes(routes);

  routes.agentSocket(agentRpc, {
    prepare: async ({ query }, agent) => ({
      agent,
      apiVersion: negotiateVersion(query.version),
      // Other programs that share the token, such as log shippers, name another role.
      isAgent: query.role === undefined || query.role === "" || query.role === "agent",
    }),
    serve: (socket, prepared) => serveAgentRpc(needs, socket, prepared),
  });

  routes.agent(agentReinit, async ({ query, raw, reply }) => {
    if (/^(1|t|true)$/i.test(query.wait ?? "")) {
      throw new HttpError(409, "Workspace is not a prebuilt workspace waiting to be claimed.", {
        detail: "This endpoint is for the agents of prebuilt workspaces only.",
      });
    }
    // Older agents take any error as a reason to ask again at once: a silent stream keeps them calm.
    const stream = openEventStream(raw, reply);
    while (!stream.signal.aborted) {
      stream.ping();
      await clock.sleep(pingIntervalMs, stream.signal).catch(() => undefined);
    }
    return reply;
  });
}

function addLogRoutes(routes: Routes, needs: AgentRpcNeeds): void {
  const { db } = needs;
  for (const route of [getAgentLogs, getAgentStartupLogs]) {
    routes.userSocket(route, {
      isPlain: ({ query }) => query.follow === undefined,
      prepare: async ({ params, query }, user) => {
        const agentId = requireUuid(params.agent);
        const place = await requireAgentPlace(db, user, agentId);
        const format = readFormat(query);
        return { agentId, place, format, range: readLogRange(query) };
      },
      plain: async ({ reply }, { agentId, place, format, range }) => {
        const logs = await readAllLogs(db, agentId, range);
        if (format === "json") return logs;
        const sources = await selectLogSources(db, [agentId]);
        reply.type("text/plain; charset=utf-8");
        const names = new Map(sources.map((source) => [source.id, source.display_name]));
        return logText(logs, place.agent_name, names);
      },
      serve: (socket, { agentId, place, range }) =>
        streamAgentLogs(needs, socket, {
          agentId,
          workspaceId: place.workspace_id,
          after: range.after,
        }),
    });
  }
}

type LogQuery = RouteRequest<typeof getAgentLogs>["query"];

function readFormat({ format, follow }: LogQuery): "json" | "text" {
  if (format === undefined || format === "" || format === "json") return "json";
  if (format !== "text") {
    throw new HttpError(400, "Invalid format parameter.", {
      detail: 'Allowed values are "json" and "text".',
    });
  }
  if (follow === undefined) return "text";
  throw new HttpError(400, "Text format is not supported with follow mode.", {
    detail: "Use format=json or omit the follow parameter.",
  });
}

async function readAllLogs(db: Database, agentId: string, range: LogRange): Promise<AgentLog[]> {
  const logs: AgentLog[] = [];
  for (;;) {
    const part = await readLogs(db, agentId, { ...range, after: logs.at(-1)?.id ?? range.after });
    logs.push(...part);
    if (part.length < maxLogsPerRead) return logs;
  }
}

function addMetadataRoutes(routes: Routes, needs: AgentRpcNeeds): void {
  const { db, logger } = needs;

  routes.user(watchAgentMetadata, async ({ params, raw, reply }, user) => {
    const agentId = requireUuid(params.agent);
    await requireAgentPlace(db, user, agentId);
    const stream = openEventStream(raw, reply);
    const pings = setInterval(() => stream.ping(), pingIntervalMs);
    try {
      for await (const metadata of watchMetadata(needs, agentId, stream.signal))
        stream.data(metadata);
    } catch (error) {
      if (!stream.signal.aborted) {
        logger.warn({ error: errorText(error) }, "watching metadata failed");
        stream.error("Failed to get metadata.", "The server cannot read it now; try again.");
      }
    } finally {
      clearInterval(pings);
      stream.end();
    }
    return [];
  });

  routes.userSocket(watchAgentMetadataSocket, {
    prepare: async ({ params }, user) => {
      const agentId = requireUuid(params.agent);
      await requireAgentPlace(db, user, agentId);
      return agentId;
    },
    serve: async (socket, agentId) => {
      keepAlive(socket);
      refuseMessages(socket, 1002, "Clients cannot send messages for one-way WebSockets");
      for await (const data of watchMetadata(needs, agentId, socket.signal)) {
        await socket.sendText(`${JSON.stringify({ type: "data", data })}\n`);
      }
    },
  });
}
