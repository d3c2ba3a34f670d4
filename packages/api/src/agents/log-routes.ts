import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, Timestamp, Uuid } from "../contract/scalars.ts";
import { LogLevel } from "../jobs/job.ts";
import { AgentLogSource } from "./agent.ts";

/**
 * One line of an agent's log. Ids increase per agent. Dropped lines are replaced by one line of level `warn` that gives
 * their number and has the id of the last of them, so every gap in the ids ends with such a line.
 */
export const AgentLog = Type.Object({
  id: Type.Integer(),
  created_at: Timestamp,
  output: Type.String(),
  level: LogLevel,
  source_id: Uuid,
});
export type AgentLog = Infer<typeof AgentLog>;

/** `follow` and `no_compression` count by their presence, whatever their values (docs/protocol/rest.md §6.2). */
export const AgentLogQuery = Type.Object({
  after: Type.Optional(Type.String()),
  before: Type.Optional(Type.String()),
  follow: Type.Optional(Type.String()),
  no_compression: Type.Optional(Type.String()),
  format: Type.Optional(Type.String()),
});

/** The largest WebSocket message that stock clients read on a log stream, in bytes (docs/protocol/rest.md, trap 7). */
export const maxLogMessageBytes = 32_768;

const AgentParams = Type.Object({ agent: Type.String() });

export const getAgentLogs = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/logs",
  summary: "Read or follow the log of an agent",
  scopes: ["workspace:read"],
  kind: "json-or-socket",
  params: AgentParams,
  query: AgentLogQuery,
  response: Type.Array(AgentLog),
});

export const getAgentStartupLogs = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/startup-logs",
  summary: "Read or follow the log of an agent (former path)",
  scopes: ["workspace:read"],
  kind: "json-or-socket",
  params: AgentParams,
  query: AgentLogQuery,
  response: Type.Array(AgentLog),
});

/** The maximum number of lines in one batch; stock programs send those of a quarter of a second together, far fewer. */
const maxLinesPerBatch = 5_000;

/** Lines of one source, in order; without a source they go to one named External (docs/protocol/rest.md §2.3). */
export const AgentLogsRequest = Type.Object({
  log_source_id: Type.Optional(Uuid),
  logs: Type.Optional(
    Type.Array(
      Type.Object({
        created_at: Type.Optional(Timestamp),
        output: Type.Optional(Type.String()),
        level: Type.Optional(Type.String({ maxLength: 16 })),
      }),
      { maxItems: maxLinesPerBatch },
    ),
  ),
});

export const updateAgentLogs = defineRoute({
  method: "PATCH",
  path: "/workspaceagents/me/logs",
  summary: "Append lines to the agent's log",
  caller: "agent",
  body: AgentLogsRequest,
  // The text of all logs of an agent, as JSON.
  maxBodyBytes: 2 * 1024 * 1024,
  // Each line is an object of three.
  maxBodyValues: 4 * maxLinesPerBatch + 4,
  response: Type.Null(),
});

export const createAgentLogSource = defineRoute({
  method: "POST",
  path: "/workspaceagents/me/log-source",
  summary: "Create a log source for the agent",
  caller: "agent",
  body: Type.Object({
    id: Type.Optional(Uuid),
    display_name: Type.Optional(Type.String({ maxLength: 1024 })),
    icon: Type.Optional(Type.String({ maxLength: 2048 })),
  }),
  status: 201,
  response: AgentLogSource,
});
