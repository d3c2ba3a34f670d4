import { once } from "node:events";
import { createServer, type Server } from "node:net";

import { getListeningPorts } from "@slipway/api/agents/listening-port-routes";
import { makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";

import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let agentId = "";
/** The port of an app of the workspace. */
let appServer: Server;

async function listen(port = 0): Promise<Server> {
  const listener = createServer((socket) => socket.destroy());
  listener.listen(port, "127.0.0.1");
  await once(listener, "listening");
  return listener;
}

function portOf(listener: Server): number {
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

beforeAll(async () => {
  server = opened.use(
    await openServer(inject("postgresUrl"), { SLIPWAY_SECRET_KEY: "k".repeat(64) }),
  );
  appServer = await listen();
  opened.defer(() => void appServer.close());
  const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { url: "http://localhost:${portOf(appServer)}/start" }
      docs: { url: "https://example.com/docs", external: true }
`;
  const templateId = await pushTemplate(server.admin, "ports", template);
  const workspace = await makeWorkspace(
    server.admin,
    "ports",
    templateId,
    ({ status }) => status === "connected",
  );
  agentId = requireAgent(workspace).id;
});

afterAll(() => opened.disposeAsync());

async function portsOf(): Promise<readonly number[]> {
  const { ports } = await server.admin.call(getListeningPorts, { params: { agent: agentId } });
  expect(ports.every(({ network }) => network === "tcp")).toBe(true);
  return ports.map(({ port }) => port);
}

it("lists what the workspace listens on, without the ports of apps", async () => {
  const listener = await listen();
  onTestFinished(() => void listener.close());
  // The agent checks once a second.
  await expect.poll(portsOf).toContain(portOf(listener));
  expect(await portsOf()).not.toContain(portOf(appServer));
});

it("answers many requests at once over one tunnel", async () => {
  const failure = async (): Promise<unknown> =>
    portsOf().then(
      () => undefined,
      (error: unknown) => (error instanceof Error && "detail" in error ? error.detail : error),
    );
  const failures = await Promise.all(Array.from({ length: 40 }, failure));
  expect(failures).toEqual(failures.map(() => undefined));
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^slipway_agent_tunnels 1$/m);
  expect(metrics).toMatch(/^slipway_agent_dials_total\{outcome="connected"\} \d+$/m);
  expect(metrics).toMatch(/^slipway_own_peer_failures_total 0$/m);
});

it("reaches an agent that is connected to another replica", async () => {
  await using replica = await openReplica(server, { SLIPWAY_SECRET_KEY: "k".repeat(64) });
  const url = `${replica.url}/api/v2/workspaceagents/${agentId}/listening-ports`;
  const response = await fetch(url, { headers: server.admin.headers });
  expect([response.status, await response.json()]).toEqual([200, { ports: expect.any(Array) }]);
});
