import type { ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getDeploymentStats } from "@slipway/api/deployment/routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";
import { TerminalClient } from "@slipway/sdk/terminal";
import { connectWorkspace, type WorkspaceConnection } from "@slipway/sdk/workspace";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import {
  logInAsAdmin,
  pushTemplate,
  type ServerProcess,
  startAgentProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { openEchoService } from "./support/echo-service.ts";
import { makeExternalWorkspace } from "./support/external-workspace.ts";

/* Our client reaches our agent through our server: over the relay, directly, and across restarts of both. */

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

const opened = new AsyncDisposableStack();
const limit = (): AbortSignal => AbortSignal.timeout(30_000);
let directory = "";
let server: ServerProcess;
let client: ApiClient;
let agent: ChildProcess;
let agentId = "";
let token = "";
/** The port of a service of the workspace that sends back what it gets. */
let echoPort = 0;

async function startAgent(): Promise<ChildProcess> {
  return startAgentProcess({ serverUrl: server.url, token, home: join(directory, "agent") });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-network-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  server = await startServerProcess({ dataDir: directory, port: 0 });
  opened.defer(() => server.end("SIGINT"));
  client = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(client, "network", template);
  const made = await makeExternalWorkspace(client, templateId, "ours");
  token = made.token;
  const workspace = await client.call(getWorkspace, { params: { workspace: made.id } });
  const agents = workspace.latest_build.resources.flatMap((resource) => resource.agents ?? []);
  agentId = agents[0]?.id ?? "";
  agent = await startAgent();
  opened.defer(() => void agent.kill("SIGKILL"));
  const echo = opened.use(await openEchoService());
  echoPort = echo.port;
});

afterAll(() => opened.disposeAsync());

async function connect(disableDirect: boolean): Promise<WorkspaceConnection> {
  const options = { client, agentId, disableDirect, clock: systemClock, logger: silentLogger };
  const connection = await connectWorkspace({ ...options, signal: limit() });
  onTestFinished(() => connection.close());
  return connection;
}

async function readAll(stream: TcpStream): Promise<string> {
  const hash = createHash("sha256");
  const signal = limit();
  for (let part = await stream.read(signal); part !== undefined; part = await stream.read(signal)) {
    hash.update(part);
  }
  return hash.digest("hex");
}

async function expectEcho(connection: WorkspaceConnection, bytes: Uint8Array): Promise<void> {
  const stream = await connection.dial(echoPort, limit());
  const echoed = readAll(stream);
  await stream.write(bytes, limit());
  stream.finish();
  expect(await echoed).toBe(createHash("sha256").update(bytes).digest("hex"));
}

it.each([
  { path: "relay", disableDirect: true },
  { path: "direct", disableDirect: false },
])("carries every byte over a $path path", async ({ path, disableDirect }) => {
  const connection = await connect(disableDirect);
  await connection.reach(limit());
  await expect
    .poll(async () => (await connection.ping(limit())).path.kind, { timeout: 10_000 })
    .toBe(path);
  await expectEcho(connection, randomBytes(20_000_000));
  expect(connection.path?.kind).toBe(path);
});

it("reports the latency of the agent's connections while one is in use", async () => {
  const ended = new AbortController();
  const size = { columns: 80, rows: 24 };
  const needs = { client, clock: systemClock, signal: ended.signal };
  const terminal = new TerminalClient({ ...needs, agentId, command: "cat", size });
  const read = async (): Promise<void> => {
    for await (const { type } of terminal) if (type === "ended") return;
  };
  const reading = read();
  const latency = async (): Promise<number> =>
    (await client.call(getDeploymentStats)).workspaces.connection_latency_ms.P50;
  await expect.poll(latency, { timeout: 120_000, interval: 1_000 }).toBeGreaterThan(0);
  expect(await latency()).toBeLessThan(5_000);
  ended.abort(new Error("seen"));
  await expect(reading).rejects.toThrow("seen");
});

it("refuses a port without a listener", async () => {
  const connection = await connect(false);
  await expect(connection.dial(9, limit())).rejects.toMatchObject({ code: "refused" });
});

it("keeps a direct connection while its server is killed and started again", async () => {
  const connection = await connect(false);
  await expect
    .poll(async () => (await connection.ping(limit())).path.kind, { timeout: 10_000 })
    .toBe("direct");
  const stream = await connection.dial(echoPort, limit());
  const { port } = new URL(server.url);
  await server.end("SIGKILL");
  await stream.write(Uint8Array.of(1, 2, 3), limit());
  expect(await stream.read(limit())).toEqual(Uint8Array.of(1, 2, 3));
  server = await startServerProcess({ dataDir: directory, port: Number(port) });
  await stream.write(Uint8Array.of(4), limit());
  expect(await stream.read(limit())).toEqual(Uint8Array.of(4));
  const later = await connect(true);
  await expectEcho(later, randomBytes(1000));
});

it("reaches an agent that was killed and started again", async () => {
  const connection = await connect(false);
  await connection.reach(limit());
  agent.kill("SIGKILL");
  await once(agent, "exit");
  agent = await startAgent();
  await expect
    .poll(
      async () => {
        const stream = await connection.dial(echoPort, AbortSignal.timeout(2_000));
        stream.abort();
        return "connected";
      },
      { timeout: 25_000 },
    )
    .toBe("connected");
});
