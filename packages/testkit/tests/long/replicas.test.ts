import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import type { AgentLog } from "@slipway/api/agents/log-routes";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { getAgent } from "@slipway/api/agents/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { openEmbeddedPostgres } from "@slipway/postgres";
import { silentLogger, systemClock } from "@slipway/runtime";
import { type AgentConnection, dialAgent } from "@slipway/sdk/agent";
import type { ApiClient } from "@slipway/sdk/http";
import { followLog } from "@slipway/sdk/stream";
import { readAgentToken } from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Log_Level } from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromNs } from "@slipway/wire/protobuf/time";
import { expect, inject, it, onTestFinished, vi } from "vitest";

import {
  firstAgent,
  logInAsAdmin,
  openTestDatabase,
  pushTemplate,
  socketUrl,
  startServerProcess,
  waitForWorkspace,
} from "../../src/index.ts";

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

const signal = new AbortController().signal;

it("two servers on one database: an agent on one, a follower on the other", async () => {
  const database = await openTestDatabase(inject("postgresUrl"));
  onTestFinished(() => database[Symbol.asyncDispose]());
  const environment = {
    SLIPWAY_POSTGRES_URL: database.url,
    SLIPWAY_SECRET_KEY: "the key that both servers of this test have",
  };
  const first = await startServer(environment);
  const second = await startServer(environment);
  const client = await logInAsAdmin(first.url);
  const { agentId, token } = await makeAgent(client);

  const connection = await dial(first.url, token);
  onTestFinished(() => connection.close());
  const other = await logInAsAdmin(second.url);
  const follower = followAgent(other, agentId);
  for (let number = 1; number <= 50; number += 1) {
    await sendLines(connection, number, 1);
    expect((await follower.next()).value?.output).toBe(`line ${number}`);
  }
  const agent = await other.call(getAgent, { params: { agent: agentId } });
  expect(agent.status).toBe("connected");
  await follower.return();
});

it(
  "ten restarts of the database under load: no acknowledged line is lost or doubled",
  { timeout: 180_000 },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "slipway-restart-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const open = () =>
      openEmbeddedPostgres({ dataDir, logger: silentLogger, clock: systemClock, signal });
    let postgres = await open();
    onTestFinished(() => postgres.close());
    const url = socketUrl(postgres.connection);
    const server = await startServer({ SLIPWAY_POSTGRES_URL: url, SLIPWAY_LOG_LEVEL: "error" });
    const client = await logInAsAdmin(server.url);
    const { agentId, token } = await makeAgent(client);

    const over = new AbortController();
    const progress = { acknowledged: 0 };
    const sending = sendUntil(server.url, token, progress, over.signal);
    /** Waits until the server has acknowledged several more batches. */
    const underLoad = async (): Promise<void> => {
      const wanted = progress.acknowledged + 5 * (1 + Math.floor(Math.random() * 40));
      const inTime = { timeout: 60_000, interval: 1 };
      await vi.waitFor(() => expect(progress.acknowledged).toBeGreaterThanOrEqual(wanted), inTime);
    };
    for (let restart = 0; restart < 10; restart += 1) {
      await underLoad();
      await postgres.close();
      postgres = await open();
    }
    await underLoad();
    over.abort();
    await sending;
    const { acknowledged } = progress;

    const logs = await client.call(getAgentLogs, { params: { agent: agentId } });
    expect(acknowledged).toBeGreaterThan(20);
    expect(logs.map((log) => log.output)).toEqual(
      Array.from({ length: acknowledged }, (_, index) => `line ${index + 1}`),
    );
  },
);

async function startServer(environment: Readonly<Record<string, string>>) {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-replica-"));
  const server = await startServerProcess({ dataDir, port: 0, environment });
  onTestFinished(async () => {
    await server.end("SIGINT");
    await rm(dataDir, { recursive: true, force: true });
  });
  return server;
}

/** Creates a running workspace of the driver `external`; returns its agent, and the token that opens a session. */
async function makeAgent(client: ApiClient): Promise<{ agentId: string; token: string }> {
  const templateId = await pushTemplate(client, "external", template);
  const body = { name: "box", template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  const workspace = await waitForWorkspace(
    client,
    id,
    (now) => now.latest_build.status === "running",
  );
  const token = await readAgentToken(client, id);
  return { agentId: firstAgent(workspace)?.id ?? "", token };
}

async function dial(serverUrl: string, token: string): Promise<AgentConnection> {
  return dialAgent({
    serverUrl,
    token,
    headers: {},
    role: "agent",
    signal,
    clock: systemClock,
    logger: silentLogger,
  });
}

const sourceId = encodeUuid(randomUUID());
const startNs = BigInt(Date.now()) * 1_000_000n;

/** Sends lines by number, which is also their time: lines that are sent again form the same batch. */
async function sendLines(connection: AgentConnection, from: number, count: number): Promise<void> {
  const logs = Array.from({ length: count }, (_, index) => ({
    createdAt: timestampFromNs(startNs + BigInt(from + index)),
    output: `line ${from + index}`,
    level: Log_Level.INFO,
  }));
  await connection.unary(Agent.method.batchCreateLogs, { logSourceId: sourceId, logs }, signal);
}

/** Sends like an agent, which repeats unacknowledged batches. Counts the acknowledged lines. */
async function sendUntil(
  serverUrl: string,
  token: string,
  progress: { acknowledged: number },
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    try {
      await using connection = await dial(serverUrl, token);
      while (!over.aborted) {
        await sendLines(connection, progress.acknowledged + 1, 5);
        progress.acknowledged += 5;
      }
    } catch {
      // The database was unavailable: the session ended, or the batch was refused. An agent waits longer than this.
      await pause(20);
    }
  }
}

function followAgent(client: ApiClient, agentId: string) {
  return followLog<AgentLog, typeof getAgentLogs>({
    client,
    route: getAgentLogs,
    params: { agent: agentId },
    clock: systemClock,
    signal,
  });
}
