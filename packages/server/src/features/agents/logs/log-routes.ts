import type { AgentLog } from "@slipway/api/agents/log-routes";
import { createAgentLogSource, updateAgentLogs } from "@slipway/api/agents/log-routes";
import { getAgentLogs, getAgentStartupLogs } from "@slipway/api/agents/log-routes";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { LogLevel } from "@slipway/api/jobs/job";

import { rejectedAgentToken } from "../../../platform/auth/agent-token.ts";
import type { Database } from "../../../platform/db/database.ts";
import { Invalid, TooLarge } from "../../../platform/errors/errors.ts";
import { type LogRange, readLogRange } from "../../../platform/fields/log-range.ts";
import { requireUuid } from "../../../platform/fields/uuid.ts";
import type { RouteRequest } from "../../../platform/http/route-request.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { GatheredReads } from "../../../platform/pubsub/gathered-reads.ts";
import { requireAgentPlace } from "../service.ts";
import { linesBytes, type NewLogLine, packLines } from "./log-lines.ts";
import { createLogSource, ensureExternalSource, selectSourceNames } from "./log-sources.ts";
import {
  type LogNeeds,
  maxLogBytes,
  maxLogsPerRead,
  readLogs,
  storeAgentLogs,
} from "./log-store.ts";
import { type LogPart, streamAgentLogs } from "./log-stream.ts";
import { logText } from "./log-text.ts";

/** Adds the routes by which users read and follow the logs of agents, and agents write them. */
export function addLogRoutes(routes: Routes, needs: LogNeeds): void {
  addUserLogRoutes(routes, needs);
  addAgentLogRoutes(routes, needs);
}

/** Adds the routes that read and follow the log of an agent (docs/protocol/rest.md §6.2). */
function addUserLogRoutes(routes: Routes, needs: LogNeeds): void {
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
        const sourceNames = await selectSourceNames(db, agentId);
        reply.type("text/plain; charset=utf-8");
        return logText(logs, place.agent_name, sourceNames);
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

/** Adds the routes for the logs of an agent, or a program with its token (docs/protocol/rest.md §2.3 and §2.4). */
function addAgentLogRoutes(routes: Routes, needs: LogNeeds): void {
  const { db, clock } = needs;
  routes.agent(
    updateAgentLogs,
    async ({ body: { log_source_id: source = nilUuid, logs = [] } }, agent) => {
      if (logs.length === 0) throw new Invalid("No logs provided.");
      const lines = logs.map(readLine);
      if (linesBytes(lines) > maxLogBytes) throw new TooLarge("Logs limit exceeded");
      const id = requireUuid(source);
      const sourceId = id === nilUuid ? await ensureExternalSource(db, agent.agentId) : id;
      if (!(await storeAgentLogs(needs, agent, sourceId, packLines(lines))))
        throw rejectedAgentToken();
      return null;
    },
  );
  routes.agent(createAgentLogSource, async ({ body }, agent) => {
    const { id = nilUuid, display_name: displayName = "", icon = "" } = body;
    const source = { id: requireUuid(id), displayName, icon };
    await createLogSource(db, agent.agentId, source);
    return {
      workspace_agent_id: agent.agentId,
      id: source.id,
      created_at: new Date(clock.now()).toISOString(),
      display_name: displayName,
      icon,
    };
  });
}

const levels: ReadonlySet<string> = new Set<LogLevel>(["trace", "debug", "info", "warn", "error"]);

function isLevel(level: string): level is LogLevel {
  return levels.has(level);
}

type SentLine = NonNullable<RouteRequest<typeof updateAgentLogs>["body"]["logs"]>[number];

/**
 * Reads a line without the sender's time, which here does not tell a repeated batch from a new one
 * (docs/protocol/rest.md §2.3).
 */
function readLine({ output = "", level = "" }: SentLine): NewLogLine {
  const known = level === "" ? "info" : level;
  if (!isLevel(known)) {
    throw new Invalid("Invalid log level provided.", {
      detail: `invalid log level: ${JSON.stringify(level)}`,
    });
  }
  return { createdNs: 0n, level: known, output };
}
