import { connectExternalAgent, firstAgent, waitForWorkspace } from "@slipway/testkit";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";

import type { Client } from "./people.ts";

/** An agent in the state of the recorded ones. */
export interface RecordedAgent extends AsyncDisposable {
  readonly id: string;
  readonly token: string;
  /** Reports that its start script runs, and two collected items of metadata. */
  start(): Promise<void>;
}

/**
 * Connects the agent `main` of a workspace, which disconnected once, is connected, and has reported its version and
 * directory.
 */
export async function connectRecordedAgent(
  client: Client,
  workspaceId: string,
): Promise<RecordedAgent> {
  const first = await connectExternalAgent(client, workspaceId, "main");
  await first.connection.close();
  await waitForWorkspace(client, workspaceId, (found) => {
    return firstAgent(found)?.status === "disconnected";
  });
  const { token, connection } = await connectExternalAgent(client, workspaceId, "main");
  const workspace = await waitForWorkspace(client, workspaceId, (found) => {
    return firstAgent(found)?.status === "connected";
  });
  const { signal } = new AbortController();
  const startup = { version: "v0.0.0-devel", expandedDirectory: "/tmp" };
  await connection.unary(Agent.method.updateStartup, { startup }, signal);
  return {
    id: firstAgent(workspace)?.id ?? "",
    token,
    start: async () => {
      const lifecycle = { state: Lifecycle_State.STARTING };
      await connection.unary(Agent.method.updateLifecycle, { lifecycle }, signal);
      const metadata = ["a", "b"].map((key) => ({ key, result: { value: "1" } }));
      await connection.unary(Agent.method.batchUpdateMetadata, { metadata }, signal);
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
