import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { watchDerpMap } from "@slipway/api/agents/connection-routes";
import { joinTailnet } from "@slipway/api/agents/tailnet-routes";
import { getBuildInfo } from "@slipway/api/deployment/routes";
import { login } from "@slipway/api/users/routes";
import { watchWorkspaceSocket } from "@slipway/api/workspaces/watch-routes";
import { silentLogger } from "@slipway/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";

import { NotFound, Unauthenticated } from "../src/platform/errors/errors.ts";
import { Admissions } from "../src/platform/http/admission.ts";
import { fullGrant } from "../src/platform/http/caller.ts";
import { createHttpServer } from "../src/platform/http/http-server.ts";
import { RequestLimits } from "../src/platform/http/request-limits.ts";
import { Routes } from "../src/platform/http/routes.ts";

/* Clients that request a WebSocket, are refused, and never close their side. */

const shortTimeoutMs = 300;
/** Hundreds of concurrent requests take a while on a busy machine. */
const longTimeoutMs = 60_000;

let app: Awaited<ReturnType<typeof createHttpServer>>;
let port = 0;
/** Resumes the waiting route. */
let waiting = Promise.withResolvers<void>();
/** Lets the route's sockets send their text. */
let greeting = Promise.withResolvers<void>();
const sockets: Socket[] = [];

const authenticator = {
  user: async ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) => {
    if (headers["coder-session-token"] !== "ann") throw new Unauthenticated("signed out");
    return { id: "ann", username: "ann", roles: [], keyId: "", grant: fullGrant };
  },
  userOrProxy: async () => {
    throw new Unauthenticated("signed out");
  },
  agent: async () => {
    throw new Unauthenticated("signed out");
  },
  allow: async () => {},
};

beforeEach(async () => {
  waiting = Promise.withResolvers();
  greeting = Promise.withResolvers();
  await open(shortTimeoutMs);
});

async function open(requestTimeoutMs: number): Promise<void> {
  const limits = new RequestLimits({ now: () => 60_000 });
  app = await createHttpServer("v0", silentLogger, { requestTimeoutMs, limits });
  const routes = new Routes(app, new Admissions(authenticator, limits), silentLogger);
  routes.anyone(getBuildInfo, async () => {
    throw new NotFound("nothing here");
  });
  routes.anyone(login, async () => ({ session_token: "" }));
  routes.anyoneSocket(watchDerpMap, {
    prepare: () => waiting.promise,
    serve: async (socket) => {
      await greeting.promise;
      await socket.sendText("hello");
    },
  });
  routes.userSocket(joinTailnet, { prepare: async () => undefined, serve: async () => undefined });
  routes.userSocket(watchWorkspaceSocket, {
    prepare: async () => {
      throw new Error("out of order");
    },
    serve: async () => undefined,
  });
  port = Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
}

afterEach(async () => {
  greeting.resolve();
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

const handshake: Readonly<Record<string, string>> = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

interface Asking {
  readonly method?: string;
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Sends the head of a request and leaves the connection open; resolves to everything received until the server closed
 * it.
 */
async function ask(path: string, { method = "GET", version = "1.1", headers }: Asking = {}) {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  sockets.push(socket);
  const lines = Object.entries({ Host: "slipway", ...handshake, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write([`${method} ${path} HTTP/${version}`, ...lines, "", ""].join("\r\n"));
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk)));
  // A reset may follow the response, because the server stops reading.
  await new Promise<void>((resolve) => {
    socket.once("end", resolve);
    socket.once("error", () => resolve());
  });
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? "0"), text };
}

/** Sends bytes and optionally closes its side; resolves to the response's status, 0 for none. */
async function send(bytes: string, isHalfClosed: boolean): Promise<number> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  sockets.push(socket);
  socket.on("error", () => undefined);
  if (isHalfClosed) socket.end(bytes);
  else socket.write(bytes);
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk)));
  await once(socket, "end");
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? "0");
}

function connections(): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

const untilFree = (): Promise<void> =>
  vi.waitFor(async () => expect(await connections()).toBe(0), { timeout: 10_000 });

const ann = { "Coder-Session-Token": "ann" };

describe("a refused upgrade is answered, and its connection is gone", () => {
  it.each<readonly [string, number, string, Asking]>([
    ["from another site", 403, "/api/v2/derp-map", { headers: { Origin: "https://other" } }],
    ["from another site to nowhere", 403, "/x", { headers: { Origin: "https://other" } }],
    ["of nobody", 401, "/api/v2/tailnet", {}],
    ["at a path that is not there", 404, "/x", {}],
    ["at a path without this method", 405, "/api/v2/users/login", {}],
    ["at a route without sockets", 400, "/api/v2/buildinfo", {}],
    [
      "with a query that does not fit",
      400,
      "/api/v2/tailnet?version=1&version=2",
      { headers: ann },
    ],
    ["at a path that is no URL", 400, "/api/v2/%zz", {}],
    ["with a part that is too long", 414, `/api/v2/workspaces/${"a".repeat(600)}/watch-ws`, {}],
    ["that the server fails on", 500, "/api/v2/workspaces/1/watch-ws", { headers: ann }],
    [
      "of an old version",
      400,
      "/api/v2/tailnet",
      { headers: { ...ann, "Sec-WebSocket-Version": "3" } },
    ],
    [
      "without a good key",
      400,
      "/api/v2/tailnet",
      { headers: { ...ann, "Sec-WebSocket-Key": "x" } },
    ],
    ["by HTTP/1.0", 426, "/api/v2/tailnet", { version: "1.0", headers: ann }],
    [
      "by POST",
      404,
      "/x",
      { method: "POST", headers: { Connection: "Upgrade, close", "Content-Length": "0" } },
    ],
    ["to another protocol", 400, "/api/v2/tailnet", { headers: { ...ann, Upgrade: "foo" } }],
    ["to h2c", 400, "/api/v2/buildinfo", { headers: { Upgrade: "h2c" } }],
  ])("%s", async (_, status, path, asking) => {
    const answers = await Promise.all([0, 1, 2].map(() => ask(path, asking)));
    expect(answers.map((answer) => answer.status)).toEqual([status, status, status]);
    for (const { text } of answers) expect(text).toMatch(/^connection: .*close$/im);
    await untilFree();
  });

  it.each<readonly [string, string, Asking]>([
    ["from other sites", "/api/v2/derp-map", { headers: { Origin: "https://other" } }],
    ["at paths that are not there", "/x", {}],
    ["at paths that are no URL", "/%zz", {}],
    ["of nobody", "/api/v2/tailnet", {}],
  ])("too many %s", async (_, path, asking) => {
    await app.close();
    await open(longTimeoutMs);
    const statuses: number[] = [];
    for (let at = 0; at < 600; at += 50) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_ignored, index) =>
          // In any spelling.
          ask(path.replace("/x", `/x/${at + index}`), asking),
        ),
      );
      statuses.push(...answers.map(({ status }) => status));
    }
    expect(statuses.filter((status) => status !== 429)).toHaveLength(512);
    expect((await ask(path, asking)).text).toContain("retry-after: 60");
    await untilFree();
  });

  it("when the server comes to no answer in time", async () => {
    expect(await ask("/api/v2/derp-map")).toMatchObject({ status: 0 });
    await untilFree();
    waiting.resolve();
  });
});

it("an upgrade that is let in is not cut off", async () => {
  waiting.resolve();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v2/derp-map`);
  await once(socket, "open");
  // Later ones have exceeded their time: an upgrade without a response, and a request without an end.
  waiting = Promise.withResolvers();
  const unfinished = "GET / HTTP/1.1\r\nHost: x\r\n";
  const late = await Promise.all([ask("/api/v2/derp-map"), send(unfinished, false)]);
  expect(late).toMatchObject([{ status: 0 }, 408]);
  waiting.resolve();
  greeting.resolve();
  const [hello] = await once(socket, "message");
  expect(String(hello)).toBe("hello");
  await once(socket, "close");
});

describe("a plain request", () => {
  it.each([
    ["whose head does not end", "GET / HTTP/1.1\r\nHost: x\r\n", 408],
    [
      "whose body does not end",
      "POST /api/v2/users/login HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
      408,
    ],
  ])("%s is cut off", async (_, bytes, status) => {
    expect(await send(bytes, false)).toBe(status);
    await untilFree();
  });

  it.each([
    ["GET /api/v2/buildinfo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404],
    ["GET /api/v2/buildinfo HTTP/1.1\r\nHost: x\r\n", 400],
    ["", 0],
  ])("of a client that has closed its side is answered: %j", async (bytes, status) => {
    expect(await send(bytes, true)).toBe(status);
    await untilFree();
  });
});
