import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { GitKeyPair } from "../users/git-key.ts";
import { AgentLogSource } from "./agent.ts";
import { ConnectionInfo } from "./connection-routes.ts";

export const agentRpc = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/rpc",
  summary: "Open the agent's RPC session: DRPC over yamux over a binary WebSocket",
  caller: "agent",
  kind: "socket",
  query: Type.Object({
    version: Type.Optional(Type.String()),
    role: Type.Optional(Type.String()),
  }),
  response: Type.Unknown(),
});

export const agentReinit = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/reinit",
  summary: "Wait until a prebuilt workspace is claimed",
  caller: "agent",
  kind: "event-stream",
  query: Type.Object({ wait: Type.Optional(Type.String()) }),
  response: Type.Object({
    workspace_id: Uuid,
    reason: oneOf("prebuild_claimed"),
    owner_id: Uuid,
  }),
});

/** The most lines in one batch; those of a quarter of a second, which stock programs send at once, are far fewer. */
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

/** The icon and the attention flag are accepted and ignored (docs/protocol/rest.md §2.5). */
export const AppStatusRequest = Type.Object({
  app_slug: Type.Optional(Type.String({ maxLength: 1024 })),
  state: Type.Optional(Type.String({ maxLength: 64 })),
  message: Type.Optional(Type.String()),
  uri: Type.Optional(Type.String()),
  icon: Type.Optional(Type.String()),
  needs_user_attention: Type.Optional(Type.Boolean()),
});

export const updateAgentAppStatus = defineRoute({
  method: "PATCH",
  path: "/workspaceagents/me/app-status",
  summary: "Report the status of one of the agent's apps",
  caller: "agent",
  body: AppStatusRequest,
  response: Type.Null(),
});

export const getOwnConnection = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/connection",
  summary: "Get the connection settings for all agents, as an agent",
  caller: "agent",
  response: ConnectionInfo,
});

export const getAgentGitKey = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/gitsshkey",
  summary: "Get the Git SSH key pair of the agent's owner",
  caller: "agent",
  response: GitKeyPair,
});

/** `match` is `url` in older agents; `listen` counts by its presence (docs/protocol/rest.md §2.6). */
const ExternalAuthQuery = Type.Object({
  match: Type.Optional(Type.String()),
  url: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
  listen: Type.Optional(Type.String()),
});

export const ExternalAuth = Type.Object({
  access_token: Type.String(),
  token_extra: Type.Unknown(),
  url: Type.String(),
  type: Type.String(),
  expires_at: Timestamp,
  username: Type.String(),
  password: Type.String(),
});

export const getAgentExternalAuth = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/external-auth",
  summary: "Get the owner's access token for a Git host",
  caller: "agent",
  query: ExternalAuthQuery,
  response: ExternalAuth,
});

export const getAgentGitAuth = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/gitauth",
  summary: "Get the owner's access token for a Git host (former path)",
  caller: "agent",
  query: ExternalAuthQuery,
  response: ExternalAuth,
});
