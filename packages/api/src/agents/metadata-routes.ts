import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, oneOf, Timestamp } from "../contract/scalars.ts";

/** One metadata item: its description and its latest value. Intervals, timeouts and ages are in seconds. */
export const AgentMetadata = Type.Object({
  result: Type.Object({
    collected_at: Timestamp,
    age: Type.Integer(),
    value: Type.String(),
    error: Type.String(),
  }),
  description: Type.Object({
    display_name: Type.String(),
    key: Type.String(),
    script: Type.String(),
    interval: Type.Integer(),
    timeout: Type.Integer(),
  }),
});
export type AgentMetadata = Infer<typeof AgentMetadata>;

const AgentParams = Type.Object({ agent: Type.String() });

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
  response: Type.Object({ type: oneOf("data"), data: Type.Array(AgentMetadata) }),
});
