import { getExternalAgentCredentials } from "@slipway/api";
import { silentLogger, systemClock } from "@slipway/runtime";
import { type AgentConnection, dialAgent } from "@slipway/sdk/agent";
import type { ApiClient } from "@slipway/sdk/http";

/** An agent of the driver `external` with a session of its own; its test acts for it. */
export interface ExternalAgent {
  readonly token: string;
  readonly connection: AgentConnection;
}

/** Connects the agent of a workspace whose build has ended. The caller closes the connection. */
export async function connectExternalAgent(
  client: ApiClient,
  workspaceId: string,
  agentName: string,
): Promise<ExternalAgent> {
  const params = { workspace: workspaceId, agent: agentName };
  const { agent_token: token } = await client.call(getExternalAgentCredentials, { params });
  return connectWithToken(client.serverUrl, token);
}

/** Connects the agent of a token. The caller closes the connection. */
export async function connectWithToken(serverUrl: string, token: string): Promise<ExternalAgent> {
  const connection = await dialAgent({
    serverUrl,
    token,
    headers: {},
    role: "agent",
    signal: new AbortController().signal,
    clock: systemClock,
    logger: silentLogger,
  });
  return { token, connection };
}
