import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import { type AgentConnection, dialAgent } from "@slipway/sdk/agent";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";

/** Opens an agent's session, and makes the first calls of a stock agent. */
export async function connectMember(
  serverUrl: string,
  token: string,
  signal: AbortSignal,
): Promise<AgentConnection> {
  const clock: Clock = systemClock;
  const connection = await dialAgent({
    serverUrl,
    token,
    headers: {},
    role: "agent",
    signal,
    clock,
    logger: silentLogger,
  });
  await connection.unary(Agent.method.getManifest, {}, signal);
  await connection.unary(
    Agent.method.updateStartup,
    { startup: { version: "v2.37.0", expandedDirectory: "/" } },
    signal,
  );
  return connection;
}
