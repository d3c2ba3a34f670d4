import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import { type AgentConnection, dialAgent } from "@slipway/sdk/agent";
import type { ApiClient } from "@slipway/sdk/http";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import {
  Agent,
  Connection_Action as Action,
  Connection_Type as Type,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";

/** An agent of the driver `external` with its own session; the test acts for it. */
export interface ExternalAgent {
  readonly token: string;
  readonly connection: AgentConnection;
}

/** Connects the agent of a workspace whose build has completed. The caller closes the connection. */
export async function connectExternalAgent(
  client: ApiClient,
  workspaceId: string,
  agentName: string,
): Promise<ExternalAgent> {
  const token = await readAgentToken(client, workspaceId, agentName);
  return connectWithToken(client.serverUrl, token);
}

/** Reads the token of an agent of the driver `external` as its owner. Throws the request's error. */
export async function readAgentToken(
  client: Pick<ApiClient, "call">,
  workspaceId: string,
  agentName = "main",
): Promise<string> {
  const params = { workspace: workspaceId, agent: agentName };
  return (await client.call(getExternalAgentCredentials, { params })).agent_token;
}

/** Connects the agent with this token. The caller closes the connection. */
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

/** An SSH connection to an agent, from start to end. */
interface SshConnection {
  readonly id: string;
  readonly ip: string;
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  readonly exitCode: number;
}

/** Reports a connection as its agent would. */
export async function reportSshConnection(
  { connection }: Pick<ExternalAgent, "connection">,
  { id, ip, beganAtMs, endedAtMs, exitCode }: SshConnection,
): Promise<void> {
  const fields = { id: encodeUuid(id), type: Type.SSH, ip };
  const begin = { action: Action.CONNECT, timestamp: timestampFromMs(beganAtMs) };
  const timestamp = timestampFromMs(endedAtMs);
  const end = { action: Action.DISCONNECT, timestamp, statusCode: exitCode };
  const { signal } = new AbortController();
  for (const part of [begin, end]) {
    const report = { connection: { ...fields, ...part } };
    await connection.unary(Agent.method.reportConnection, report, signal);
  }
}
