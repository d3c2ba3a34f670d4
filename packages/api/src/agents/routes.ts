import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { AgentLog, AgentLogQuery } from "./agent-log.ts";
import { WorkspaceAgent } from "./agent.ts";
import { AgentMetadata } from "./metadata.ts";

const AgentParams = Type.Object({ agent: Type.String() });

export const getAgent = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent",
  summary: "Get an agent",
  scopes: ["workspace:read"],
  params: AgentParams,
  response: WorkspaceAgent,
});

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

export const watchAgentMetadata = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/watch-metadata",
  summary: "Watch the metadata of an agent as server-sent events",
  scopes: ["workspace:read"],
  kind: "event-stream",
  params: AgentParams,
  response: Type.Array(AgentMetadata),
});

export const watchAgentMetadataSocket = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/watch-metadata-ws",
  summary: "Watch the metadata of an agent over a WebSocket",
  scopes: ["workspace:read"],
  kind: "socket",
  params: AgentParams,
  response: Type.Array(AgentMetadata),
});
