import { createHash, randomBytes } from "node:crypto";

import { getDeploymentStats } from "@slipway/api/deployment/routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import { TerminalClient } from "@slipway/sdk/terminal";
import { connectWorkspace, type WorkspaceConnection } from "@slipway/sdk/workspace";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import { openReachedWorkspace, type ReachedWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

/* Our client reaches our agent through our server: over the relay, directly, and across restarts of both. */

const limit = (): AbortSignal => AbortSignal.timeout(30_000);
let world: ReachedWorkspace;

beforeAll(async () => {
  world = await openReachedWorkspace();
});

afterAll(() => world[Symbol.asyncDispose]());

async function connect(disableDirect: boolean): Promise<WorkspaceConnection> {
  const { agentId } = world;
  const client = world.openClient();
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
  const stream = await connection.dial(world.echoPort, limit());
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
  const { agentId } = world;
  const client = world.openClient();
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
  const stream = await connection.dial(world.echoPort, limit());
  await world.server.end("SIGKILL");
  await stream.write(Uint8Array.of(1, 2, 3), limit());
  expect(await stream.read(limit())).toEqual(Uint8Array.of(1, 2, 3));
  await world.restartServer("SIGKILL");
  await stream.write(Uint8Array.of(4), limit());
  expect(await stream.read(limit())).toEqual(Uint8Array.of(4));
  const later = await connect(true);
  await expectEcho(later, randomBytes(1000));
});

it("reaches an agent that was killed and started again", async () => {
  const connection = await connect(false);
  await connection.reach(limit());
  await world.restartAgent();
  await expect
    .poll(
      async () => {
        const stream = await connection.dial(world.echoPort, AbortSignal.timeout(2_000));
        stream.abort();
        return "connected";
      },
      { timeout: 25_000 },
    )
    .toBe("connected");
});
