import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { connectWithToken, makeWorkspace, pushTemplate, readAgentToken } from "@slipway/testkit";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { expect, inject, it } from "vitest";

import { openReplica, openServer } from "./support/open-server.ts";

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

/** Opens a WebSocket that never sends anything, not even a close. */
async function openDeafSocket(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = [
    `GET /api/v2${path} HTTP/1.1`,
    `Host: ${hostname}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toContain("101 Switching Protocols");
  return socket;
}

it(
  "ends soon although a client does not answer when it closes its socket",
  { timeout: 25_000 },
  async () => {
    const server = await openServer(inject("postgresUrl"));
    const templateId = await pushTemplate(server.admin, "external", template);
    const { id } = await makeWorkspace(server.admin, "w", templateId, () => true);
    const path = `/workspaces/${id}/watch-ws`;
    const socket = await openDeafSocket(server.url, path, server.admin.headers);
    const ended = once(socket, "close");
    socket.resume();
    const beginMs = performance.now();
    await server[Symbol.asyncDispose]();
    await ended;
    // The second that such a client is given, and the time that a busy machine needs for the rest.
    expect(performance.now() - beginMs).toBeLessThan(4_000);
  },
);

it(
  "ends although clients hold connections on which they say nothing, or were refused",
  { timeout: 25_000 },
  async () => {
    const server = await openServer(inject("postgresUrl"));
    const { hostname, port } = new URL(server.url);
    const heads = [
      "",
      "GET /api/v2/buildinfo HTTP/1.1\r\nHost: x\r\n",
      "GET /x HTTP/1.1\r\nHost: x\r\nOrigin: https://other\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      "GET /api/v2/%zz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ];
    const sockets = await Promise.all(
      heads.map(async (head) => {
        const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
        socket.on("error", () => undefined);
        await once(socket, "connect");
        socket.write(head);
        return socket;
      }),
    );
    await server[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
  },
);

it("records the end of every agent's session before it closes the database", async () => {
  const secret = { SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex") };
  await using server = await openServer(inject("postgresUrl"), secret);
  const templateId = await pushTemplate(server.admin, "external", template);
  const names = Array.from({ length: 12 }, (_, index) => `w${index}`);
  const tokens = await Promise.all(
    names.map(async (name) => {
      const { id } = await makeWorkspace(server.admin, name, templateId, () => true);
      return readAgentToken(server.admin, id);
    }),
  );
  const replica = await openReplica(server, secret);
  const { signal } = new AbortController();
  for (const token of tokens) {
    const { connection } = await connectWithToken(replica.url, token);
    await connection.unary(Agent.method.getManifest, {}, signal);
  }
  const selectOpen = server.db
    .selectFrom("workspace_agents")
    .select("id")
    .where("last_connected_at", "is not", null)
    .where("disconnected_at", "is", null);
  await expect.poll(() => selectOpen.execute()).toHaveLength(names.length);
  await replica[Symbol.asyncDispose]();
  expect(await selectOpen.execute()).toEqual([]);
});
