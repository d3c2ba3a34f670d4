import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { GitKeyPair } from "../users/git-key.ts";
import { AgentLogSource } from "./agent.ts";

export const agentRpc = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/rpc",
  summary: "The agent's RPC session: DRPC over yamux over binary WebSocket messages",
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
  summary: "Tell the agent of a prebuilt workspace that it was claimed",
  caller: "agent",
  kind: "event-stream",
  query: Type.Object({ wait: Type.Optional(Type.String()) }),
  response: Type.Object({
    workspace_id: Uuid,
    reason: oneOf("prebuild_claimed"),
    owner_id: Uuid,
  }),
});

/** The largest body with log lines, in bytes. */
export const maxLogBodyBytes = 4 * 1024 * 1024;
/** The most lines in one batch. */
const maxLinesPerBatch = 65_536;

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
  summary: "Add lines to the log of the calling agent",
  caller: "agent",
  body: AgentLogsRequest,
  response: Type.Null(),
});

export const createAgentLogSource = defineRoute({
  method: "POST",
  path: "/workspaceagents/me/log-source",
  summary: "Create a log source of the calling agent",
  caller: "agent",
  body: Type.Object({
    id: Type.Optional(Uuid),
    display_name: Type.Optional(Type.String({ maxLength: 1024 })),
    icon: Type.Optional(Type.String({ maxLength: 2048 })),
  }),
  status: 201,
  response: AgentLogSource,
});

/** The icon and the attention flag are accepted and dropped (docs/protocol/rest.md §2.5). */
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
  summary: "Report what an app of the calling agent is doing",
  caller: "agent",
  body: AppStatusRequest,
  response: Type.Null(),
});

export const getAgentGitKey = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/gitsshkey",
  summary: "Get the key pair with which the owner of the calling agent uses git",
  caller: "agent",
  response: GitKeyPair,
});

/** The query; `match` is `url` of older agents; the presence of `listen` counts (docs/protocol/rest.md §2.6). */
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
  summary: "Get a token of the owner of the calling agent for a git host",
  caller: "agent",
  query: ExternalAuthQuery,
  response: ExternalAuth,
});

export const getAgentGitAuth = defineRoute({
  method: "GET",
  path: "/workspaceagents/me/gitauth",
  summary: "The same under its old name",
  caller: "agent",
  query: ExternalAuthQuery,
  response: ExternalAuth,
});
