import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getWorkspace } from "@slipway/api/workspaces/routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import {
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  readAgentToken,
  type ServerProcess,
  startAgentProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { ApiClient } from "../../src/http.ts";
import { connectWorkspace, type WorkspaceConnection } from "../../src/workspace.ts";

/*
 * A client on one replica reaches an agent on another. The client's replica is killed, and a proxy sends the client to the
 * other one, as in a deployment: TCP connections through the tunnel survive, over the relay and directly.
 */

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

const opened = new AsyncDisposableStack();
const limit = (): AbortSignal => AbortSignal.timeout(30_000);
const secret = randomBytes(32).toString("hex");
let directory = "";
let databaseUrl = "";
let token = "";
let agentId = "";
let echoPort = 0;
/** The replica that the agent is connected to. */
let lasting: ServerProcess;

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.defer(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function startReplica(): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(directory, "replica-"));
  const environment = { SLIPWAY_POSTGRES_URL: databaseUrl, SLIPWAY_SECRET_KEY: secret };
  const server = await startServerProcess({ dataDir, port: 0, environment });
  opened.defer(() => server.end("SIGKILL"));
  return server;
}

async function startAgent(): Promise<ChildProcess> {
  const home = join(directory, "agent");
  const agent = await startAgentProcess({ serverUrl: lasting.url, token, home });
  opened.defer(() => void agent.kill("SIGKILL"));
  return agent;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-replicas-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  databaseUrl = database.url;
  lasting = await startReplica();
  const client = await logInAsAdmin(lasting.url);
  const templateId = await pushTemplate(client, "network", template);
  const { id } = await makeWorkspace(client, "dev", templateId, () => true);
  token = await readAgentToken(client, id);
  const workspace = await client.call(getWorkspace, { params: { workspace: id } });
  const agents = workspace.latest_build.resources.flatMap((resource) => resource.agents ?? []);
  agentId = agents[0]?.id ?? "";
  echoPort = await listen((socket) => void socket.pipe(socket));
  await startAgent();
});

afterAll(() => opened.disposeAsync());

/** A proxy in front of the replicas, which cuts its connections when it is sent to another. */
async function openProxy(first: ServerProcess) {
  let target = first;
  const sockets = new Set<Socket>();
  const port = await listen((near) => {
    const far = connect(Number(new URL(target.url).port), "127.0.0.1");
    for (const socket of [near, far]) sockets.add(socket);
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    sendTo: (other: ServerProcess): void => {
      target = other;
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}

async function echo(stream: TcpStream, text: string): Promise<string> {
  await stream.write(Buffer.from(text), limit());
  let received = "";
  while (received.length < text.length) {
    const part = await stream.read(limit());
    if (part === undefined) throw new Error("the connection has ended");
    received += Buffer.from(part).toString();
  }
  return received;
}

async function connectThrough(url: string, disableDirect: boolean): Promise<WorkspaceConnection> {
  const admin = await logInAsAdmin(lasting.url);
  const session = admin.headers["Coder-Session-Token"] ?? "";
  const client = new ApiClient({ serverUrl: url, token: session });
  const options = { client, agentId, disableDirect, clock: systemClock, logger: silentLogger };
  return connectWorkspace({ ...options, signal: limit() });
}

it.each([
  { path: "relay", disableDirect: true },
  { path: "direct", disableDirect: false },
])(
  "survives the end of its client's replica over a $path path",
  async ({ path, disableDirect }) => {
    const doomed = await startReplica();
    const proxy = await openProxy(doomed);
    await using connection = await connectThrough(proxy.url, disableDirect);
    await expect
      .poll(async () => (await connection.ping(limit())).path.kind, { timeout: 20_000 })
      .toBe(path);
    const stream = await connection.dial(echoPort, limit());
    expect(await echo(stream, "before")).toBe("before");
    await doomed.end("SIGKILL");
    proxy.sendTo(lasting);
    expect(await echo(stream, "after")).toBe("after");
    const later = await connection.dial(echoPort, limit());
    expect(await echo(later, "anew")).toBe("anew");
  },
);
