import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

import { connectWithToken, fillFleet, fleetAgentToken } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { openServer } from "../support/open-server.ts";
import { seedBuild, seedWorkspace } from "../support/rows.ts";

/* A user whose agents' sessions flood a server, and never go on once they may begin. */

const owners = 4;
const agentsOfOwner = 40;
const floodSockets = 1_200;
const patience = { timeout: 60_000, interval: 100 };

interface Flood extends AsyncDisposable {
  /** The number of sessions that began. */
  readonly begun: () => number;
}

/** Opens sessions that answer nothing, each again when it has ended. */
function openFlood(url: string, tokens: readonly string[]): Flood {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isOver = false;
  let begun = 0;
  const open = (token: string): void => {
    if (isOver) return;
    const socket = connect(Number(port), hostname);
    sockets.add(socket);
    socket.write(upgradeRequest(token));
    socket.once("data", (chunk: Buffer) => {
      if (chunk.toString("latin1").startsWith("HTTP/1.1 101")) begun += 1;
      socket.resume();
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      sockets.delete(socket);
      open(token);
    });
  };
  for (let number = 0; number < floodSockets; number += 1)
    open(tokens[number % tokens.length] ?? "");
  return {
    begun: () => begun,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      for (const socket of sockets) socket.destroy();
      await expect.poll(() => sockets.size, patience).toBe(0);
    },
  };
}

function upgradeRequest(token: string): string {
  const lines = [
    "GET /api/v2/workspaceagents/me/rpc?version=2.0 HTTP/1.1",
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    `Coder-Session-Token: ${token}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Returns the tokens of an owner's agents. */
function tokensOf(owner: number): readonly string[] {
  return Array.from({ length: agentsOfOwner }, (_, index) =>
    fleetAgentToken(owner + 1 + index * owners),
  );
}

it("lets the agents of others in while sessions of one owner flood the server, and keeps none of these", async () => {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await openServer(inject("postgresUrl")));
  const seeded = await seedWorkspace(server.db);
  await seedBuild(server.db, seeded, { number: 1, transition: "start", job: "succeeded" });
  const run = (statement: string) => sql.raw(statement).execute(server.db);
  await fillFleet(run, seeded, owners * agentsOfOwner);
  const [flooding = [], ...others] = Array.from({ length: owners }, (_, owner) => tokensOf(owner));
  const victims = others.flatMap((tokens) => tokens.slice(0, 5));
  const connectAll = async (tokens: readonly string[]): Promise<void> => {
    const connecting = tokens.map(async (token) => {
      const { connection } = await connectWithToken(server.url, token);
      opened.defer(() => connection.close());
    });
    await Promise.all(connecting);
  };

  const flood = opened.use(openFlood(server.url, flooding));
  await expect.poll(flood.begun, patience).toBeGreaterThan(0);
  await connectAll(victims);
  // Its agents have been replaced by themselves again and again.
  await expect.poll(flood.begun, patience).toBeGreaterThan(agentsOfOwner);

  await flood[Symbol.asyncDispose]();
  await connectAll(others.flatMap((tokens) => tokens.slice(5, 10)));
  const connected = async (): Promise<string | undefined> => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return /^slipway_agents_connected (\d+)$/m.exec(text)?.[1];
  };
  await expect.poll(connected, patience).toBe(String(2 * victims.length));
});
