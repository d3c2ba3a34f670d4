import { request } from "node:http";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getAgent } from "@slipway/api/agents/routes";
import { contract } from "@slipway/api/contract";
import type { Route } from "@slipway/api/contract/route";
import { routePath, routesOf } from "@slipway/api/contract/route";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { type Row, table } from "./support/authorization-table.ts";
import { callerNames, openWorld, type World } from "./support/authorization-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

/** Routes that accept an upgrade, with the query that requests the socket if there is also a plain response. */
const sockets = routesOf(contract).flatMap(({ name, route }) => {
  if (route.kind === "socket") return [{ name, route, query: "" }];
  return route.kind === "json-or-socket" ? [{ name, route, query: "follow" }] : [];
});

const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: World;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  world = await openWorld(server);
});

afterAll(() => opened.disposeAsync());

describe("a route that takes an upgrade", () => {
  it.each(sockets)(
    "$name opens for those whom the table lets in, and for nobody else",
    async ({ name, route, query }) => {
      const row = table[name];
      if (row === undefined) throw new Error(`there is no row for ${name}`);
      const answers = new Map<string, number>();
      const wanted = new Map<string, number>();
      const before = await readAgent();
      for (const caller of callerNames) {
        wanted.set(caller, upgraded(row.statuses[caller]));
        answers.set(caller, await upgrade(route, row, query, world.callers[caller]));
      }
      expect(answers).toEqual(wanted);
      if (name === "agentRpc") await agentHasLeftSince(before);
    },
  );
});

describe("the relay, which is not in the contract", () => {
  // Clients prove that they have the key that receives packets; this grants no rights (docs/protocol/tailnet.md §4.1).
  it("opens for everyone, by upgrade and by WebSocket, and tells nothing", async () => {
    const answers = new Map<string, unknown>();
    for (const caller of callerNames) {
      const headers = world.callers[caller];
      const check = await fetch(`${server.url}/derp/latency-check`, { headers });
      answers.set(caller, [
        await upgradeToDerp(headers),
        await openWebSocket("/derp", headers, "derp"),
        check.status,
        await check.text(),
      ]);
    }
    const everyone = callerNames.map((caller) => [caller, [101, 101, 200, ""]] as const);
    expect(answers).toEqual(new Map(everyone));
  });
});

/** Resolves to the status of `Upgrade: DERP`. */
async function upgradeToDerp(headers: Readonly<Record<string, string>>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const upgrading = { ...headers, Connection: "Upgrade", Upgrade: "DERP" };
  request(`${server.url}/derp`, { headers: upgrading })
    .on("upgrade", ({ statusCode = 0 }, socket) => {
      socket.destroy();
      resolve(statusCode);
    })
    .on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
    .on("error", reject)
    .end();
  return promise;
}

/** Waits until the server has noticed that the agent's socket is closed: other routes answer otherwise until then. */
async function agentHasLeftSince(before: WorkspaceAgent): Promise<void> {
  await expect.poll(readAgent).toSatisfy(({ status, disconnected_at: leftAt }) => {
    return status === "disconnected" && leftAt !== before.disconnected_at;
  });
}

function readAgent(): Promise<WorkspaceAgent> {
  return server.admin.call(getAgent, { params: { agent: world.ids["agent"] ?? "" } });
}

/**
 * Returns the expected status of an upgrade: callers who would be told to upgrade, or get the plain response, get the
 * socket; the others are refused alike.
 */
function upgraded(status: number): number {
  return status === 426 || status === 200 ? 101 : status;
}

/** Resolves to the status of an upgrade; closes a socket that opens. */
async function upgrade(
  route: Route,
  row: Row,
  query: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const asked = typeof row.request === "function" ? await row.request(world) : row.request;
  const path = routePath(route, { ...world.ids, ...asked.params });
  const queries = [query, asked.query ?? ""].filter((text) => text !== "").join("&");
  return openWebSocket(`/api/v2${path}?${queries}`, headers);
}

async function openWebSocket(
  path: string,
  headers: Readonly<Record<string, string>>,
  protocol?: string,
): Promise<number> {
  const url = `${server.url.replace("http", "ws")}${path}`;
  const socket = new WebSocket(url, protocol, { headers });
  const { promise: answered, resolve, reject } = Promise.withResolvers<number>();
  socket.on("open", () => resolve(101));
  socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
  // Closing a refused socket before it opened no longer causes a rejection.
  socket.on("error", reject);
  const closed = new Promise<void>((done) => socket.on("close", () => done()));
  try {
    return await answered;
  } finally {
    socket.terminate();
    await closed;
  }
}
