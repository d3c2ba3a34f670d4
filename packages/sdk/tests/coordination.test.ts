import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger, systemClock } from "@slipway/runtime";
import { Coordination } from "@slipway/tailnet/coordination/coordination";
import {
  CoordinationLoop,
  type CoordinationState,
} from "@slipway/tailnet/coordination/coordination-loop";
import type { PeerNode } from "@slipway/tailnet/coordination/peer-node";
import { nodeIdOf } from "@slipway/tailnet/coordination/self-node";
import {
  connectExternalAgent,
  logInAsAdmin,
  makeWorkspace,
  openClient,
  openTestDatabase,
  pushTemplate,
  requireAgent,
  type ServerProcess,
  startServerProcess,
  TcpProxy,
} from "@slipway/testkit";
import { parseHex } from "@slipway/wire/bytes/hex";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

import { agentCoordination } from "../src/agent/coordination-session.ts";
import { dialSocket } from "../src/agent/dial-socket.ts";
import { ApiClient } from "../src/http/client.ts";
import {
  type ClientCoordinationOptions,
  clientCoordinationService,
} from "../src/workspace/coordination-service.ts";

/* An agent and a client that a whole server announces to each other. */

const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
/** A destination that is not ready is installed after this time. */
const readyMs = 5_000;

const opened = new AsyncDisposableStack();
let server: ServerProcess;
let admin: ApiClient;
let templateId: string;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-coordination-"));
  opened.defer(() => rm(directory, { recursive: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = { SLIPWAY_POSTGRES_URL: database.url };
  server = opened.use(await startServerProcess({ dataDir: directory, port: 0, environment }));
  admin = await logInAsAdmin(server.url);
  templateId = await pushTemplate(admin, "outside", template);
});

afterAll(() => opened.disposeAsync());

/** One side of the network, without a tunnel; its actions are recorded as text. */
function openPeer(role: "agent" | "client", id: string) {
  const actions: string[] = [];
  const regions: string[] = [];
  const nodeKey = new Uint8Array(randomBytes(32));
  const coordination = new Coordination({
    role,
    self: {
      nodeId: nodeIdOf(id),
      nodeKey,
      discoKey: new Uint8Array(randomBytes(32)),
      addresses: [addressOf(id)],
    },
    clock: systemClock,
    logger: silentLogger,
    apply: (all) => actions.push(...all.map(({ type, node }) => `${type} ${hex(node)}`)),
    probe: async () => undefined,
    onDerpMap: (map) => regions.push(...Object.keys(map.regions)),
  });
  onTestFinished(() => coordination.close());
  coordination.updateSelf({ homeRegionId: 999 });
  return { coordination, actions, regions, nodeKey, key: hex({ nodeKey }) };
}

function hex({ nodeKey }: Pick<PeerNode, "nodeKey">): string {
  return Buffer.from(nodeKey).toString("hex").slice(0, 8);
}

/** Returns the address that an agent derives from its id. */
function addressOf(id: string): Uint8Array {
  const address = encodeUuid(id);
  address.set(parseHex("fd7a115ca1e0"));
  return address;
}

/** Opens an agent that is connected to the network. */
async function openAgent(name: string) {
  const workspace = await makeWorkspace(admin, name, templateId, () => true);
  const { id } = requireAgent(workspace);
  const { connection } = await connectExternalAgent(admin, workspace.id, "main");
  onTestFinished(() => connection.close());
  const peer = openPeer("agent", id);
  const never = new AbortController().signal;
  const serving = peer.coordination.serve(agentCoordination(connection), never);
  serving.catch(() => undefined);
  await expect.poll(() => peer.regions).toEqual(["999"]);
  return { id, ...peer, serving };
}

function dialAs({ headers }: ApiClient): ClientCoordinationOptions["dial"] {
  return (url, signal) => dialSocket(url, { headers, signal, onRequest: undefined });
}

/** Opens a client that tries to reach an agent. */
function openClientOf(agentId: string, client: ApiClient) {
  const peer = openPeer("client", randomUUID());
  peer.coordination.addDestination(agentId);
  const states: CoordinationState[] = [];
  const stop = new AbortController();
  const loop = new CoordinationLoop({
    coordination: peer.coordination,
    service: clientCoordinationService({
      client,
      agentId,
      clock: systemClock,
      dial: dialAs(client),
    }),
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    onState: (state) => states.push(state),
  });
  const running = loop.run(stop.signal);
  running.catch(() => undefined);
  onTestFinished(() => stop.abort());
  return { ...peer, states, running };
}

describe("a client and an agent", () => {
  it("learn of each other, before the client would stop waiting", async () => {
    const agent = await openAgent("together");
    const startedAt = performance.now();
    const client = openClientOf(agent.id, admin);
    const node = await client.coordination.installed(agent.id, AbortSignal.timeout(20_000));
    expect(performance.now() - startedAt).toBeLessThan(readyMs);
    expect(node.allowedAddresses).toEqual([addressOf(agent.id)]);
    expect(client.actions).toEqual([`install ${agent.key}`]);
    expect(agent.actions).toEqual([`install ${client.key}`]);
    expect(client.regions).toEqual(["999"]);
    client.coordination.updateSelf({ endpoints: ["192.0.2.1:41641"] });
    await expect.poll(() => agent.actions).toHaveLength(2);
    await client.coordination.close();
    await client.running;
    await expect.poll(() => agent.actions.at(-1)).toBe(`remove ${client.key}`);
    await agent.coordination.close();
    await agent.serving;
  });

  it("stay what they are to each other while the client's connection breaks", async () => {
    const proxy = await TcpProxy.open(() => [{ port: Number(new URL(server.url).port) }]);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const agent = await openAgent("broken");
    const client = openClientOf(
      agent.id,
      new ApiClient({ serverUrl: proxy.url, headers: admin.headers }),
    );
    await client.coordination.installed(agent.id, AbortSignal.timeout(20_000));
    agent.coordination.noteHandshake(client.nodeKey);
    client.coordination.noteHandshake(agent.nodeKey);
    for (const link of proxy.links) link.cut();
    await expect
      .poll(() => client.states.map(({ type }) => type))
      .toEqual(["connecting", "connected", "connecting", "connected"]);
    client.coordination.updateSelf({ endpoints: ["192.0.2.1:41641"] });
    await expect.poll(() => agent.actions.length).toBeGreaterThan(1);
    expect(new Set(agent.actions)).toEqual(new Set([`install ${client.key}`]));
    expect(client.actions).toEqual([`install ${agent.key}`]);
  });
});

describe("a client", () => {
  it("is told at once that there is no such agent, or that it may not reach it", async () => {
    const nobody = openClientOf(randomUUID(), admin);
    await expect(nobody.running).rejects.toMatchObject({ code: "dial-failed", status: 404 });
    const stranger = openClientOf(randomUUID(), openClient(server.url, "nonsense"));
    await expect(stranger.running).rejects.toMatchObject({ rung: "authentication", status: 401 });
  });

  it("learns which step fails as long as the server is not there", async () => {
    const proxy = await TcpProxy.open(() => []);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const client = openClientOf(
      randomUUID(),
      new ApiClient({ serverUrl: proxy.url, headers: admin.headers }),
    );
    await expect
      .poll(() => client.states)
      .toContainEqual({ type: "connecting", error: expect.objectContaining({ rung: "tcp" }) });
  });

  it("drops a token that the server does not take", async () => {
    const agent = await openAgent("token");
    const service = clientCoordinationService({
      client: admin,
      agentId: agent.id,
      clock: systemClock,
      dial: dialAs(admin),
    });
    const error: unknown = await service
      .open("nonsense", new AbortController().signal)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 401, fields: ["resume_token"] });
    expect(service.verdict(error)).toBe("drop-token");
  });
});
