import {
  type AgentLog,
  getAgent,
  getAgentLogs,
  getAgentStartupLogs,
  watchAgentMetadata,
  watchAgentMetadataSocket,
} from "@slipway/api";
import type { Clock } from "@slipway/runtime";

import type { Database } from "../../platform/db/database.ts";
import { Invalid } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type LogRange, readLogRange } from "../../platform/http/log-range.ts";
import { keepAlive, refuseMessages } from "../../platform/http/peer-socket.ts";
import type { RouteRequest } from "../../platform/http/route-request.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { requireUuid } from "../../platform/http/uuid.ts";
import { GatheredReads } from "../../platform/pubsub/gathered-reads.ts";
import type { PubSub } from "../../platform/pubsub/pubsub.ts";
import { selectLogSources } from "./agent-read-queries.ts";
import { addConnectionLogRoutes } from "./connection-log/connection-log-routes.ts";
import type { ReadDerpMap } from "./derp-map.ts";
import { maxLogsPerRead, readLogs } from "./logs/log-store.ts";
import { type LogPart, streamAgentLogs } from "./logs/log-stream.ts";
import { logText } from "./logs/log-text.ts";
import { MetadataWatches } from "./metadata/metadata-stream.ts";
import { addConnectionRoutes } from "./network/connection-routes.ts";
import { addContainerRoutes } from "./network/container-routes.ts";
import { gatherAgents, readAgent, requireAgentPlace } from "./service.ts";

interface AgentRouteNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  readonly readDerpMap: ReadDerpMap;
}

/** Adds the routes by which users see agents and reach into them. */
export function addAgentRoutes(routes: Routes, needs: AgentRouteNeeds): void {
  const { db, clock } = needs;
  const findAgent = gatherAgents(db);
  routes.user(getAgent, ({ params }, user) =>
    readAgent(findAgent, user, requireUuid(params.agent), clock.now()),
  );
  addLogRoutes(routes, needs);
  addMetadataRoutes(routes, needs);
  addConnectionRoutes(routes, needs);
  addConnectionLogRoutes(routes, db);
  addContainerRoutes(routes, needs);
}

function addLogRoutes(routes: Routes, needs: AgentRouteNeeds): void {
  const { db } = needs;
  const following = { ...needs, logReads: new GatheredReads<LogPart>() };
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
        streamAgentLogs(following, socket, {
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
    throw new Invalid("Invalid format parameter.", {
      detail: 'Allowed values are "json" and "text".',
    });
  }
  if (follow === undefined) return "text";
  throw new Invalid("Text format is not supported with follow mode.", {
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

function addMetadataRoutes(routes: Routes, needs: AgentRouteNeeds): void {
  const { db } = needs;
  const watches = new MetadataWatches(needs);
  const prepare = async (
    { params }: RouteRequest<typeof watchAgentMetadata>,
    user: UserCaller,
  ): Promise<string> => {
    const agentId = requireUuid(params.agent);
    await requireAgentPlace(db, user, agentId);
    return agentId;
  };

  routes.userEvents(watchAgentMetadata, {
    prepare,
    serve: async (stream, agentId) => {
      for await (const text of watches.watch(agentId, stream.signal)) await stream.dataText(text);
    },
    problem: "Failed to get metadata.",
  });

  routes.userSocket(watchAgentMetadataSocket, {
    prepare,
    serve: async (socket, agentId) => {
      keepAlive(socket);
      refuseMessages(socket, 1002, "Clients cannot send messages for one-way WebSockets");
      for await (const text of watches.watch(agentId, socket.signal)) {
        await socket.sendText(`{"type":"data","data":${text}}\n`);
      }
    },
  });
}
