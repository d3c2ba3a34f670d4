import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { Timestamp } from "../contract/scalars.ts";
import { GitKeyPair } from "../users/git-key-routes.ts";

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
