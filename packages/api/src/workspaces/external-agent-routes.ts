import { Type } from "typebox";

import { ExternalAgentCredentials } from "../agents/agent.ts";
import { defineRoute } from "../contract/route.ts";

export const getExternalAgentCredentials = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/external-agent/:agent/credentials",
  summary: "Get the start command and token of an external agent",
  // The agent's token gives access to its owner's private key.
  scopes: ["user_secret:read"],
  params: Type.Object({ workspace: Type.String(), agent: Type.String() }),
  response: ExternalAgentCredentials,
});

export const revokeExternalAgentTokens = defineRoute({
  method: "DELETE",
  path: "/workspaces/:workspace/external-agent/credentials",
  summary:
    "Revoke the tokens of a stopped workspace's external agents; its next start creates others",
  scopes: ["workspace:update"],
  params: Type.Object({ workspace: Type.String() }),
  response: Type.Null(),
  status: 204,
});
