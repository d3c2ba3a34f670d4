import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { watchDerpMap } from "@slipway/api/agents/connection-routes";
import { getBuildInfo, getOpenApi } from "@slipway/api/deployment/routes";
import { silentLogger, whenAborted } from "@slipway/runtime";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";

import { defaultLimits, type Limits } from "../src/platform/config/limits.ts";
import { Unauthenticated } from "../src/platform/errors/errors.ts";
import { Admissions } from "../src/platform/http/admission.ts";
import { type Connections, limitConnections } from "../src/platform/http/connections.ts";
import { createHttpServer } from "../src/platform/http/http-server.ts";
import { RequestLimits } from "../src/platform/http/request-limits.ts";
import { Routes } from "../src/platform/http/routes.ts";

const sockets: Socket[] = [];
let app: Awaited<ReturnType<typeof createHttpServer>>;
let connections: Connections;
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  const closed = app.close();
  connections.destroyAll();
  await closed;
});

const signedOut = async (): Promise<never> => {
  throw new Unauthenticated("signed out");
};

interface Options {
  readonly limits?: Partial<Limits>;
  readonly trustedProxies?: readonly string[];
  readonly idleTimeoutMs?: number;
}

/** Opens a listener with a public socket, a small response and a large one. */
async function open({ limits: given, trustedProxies = [], ...rest }: Options): Promise<string> {
  const limits = { ...defaultLimits, ...given };
  const requestLimits = new RequestLimits({ now: () => 60_000 });
  app = await createHttpServer("v0", silentLogger, {
    trustedProxies,
    limits: requestLimits,
    ...rest,
  });
  connections = limitConnections(
    app,
    { inAll: limits.maxConnections, perAddress: limits.maxConnectionsPerAddress },
    trustedProxies,
  );
  const authenticator = {
    user: signedOut,
    userOrProxy: signedOut,
    agent: signedOut,
    allow: async () => undefined,
  };
  const admissions = new Admissions(authenticator, requestLimits);
  const routes = new Routes(app, admissions, silentLogger, limits);
  routes.anyoneSocket(watchDerpMap, {
    prepare: async () => undefined,
    serve: ({ signal }) => whenAborted(signal),
  });
  routes.anyone(getBuildInfo, signedOut);
  routes.anyone(getOpenApi, async () => ({ large: "x".repeat(4 * 1024 * 1024) }));
  return app.listen({ host: "127.0.0.1", port: 0, backlog: 4_096 });
}

const derpMap = (url: string): string => `${url.replace("http", "ws")}/api/v2/derp-map`;

/** Resolves to the socket when it is open, or to the status and body of the refusal. */
async function openSocket(url: string, forwarded?: string) {
  const headers = forwarded === undefined ? {} : { "X-Forwarded-For": forwarded };
  const socket = new WebSocket(derpMap(url), { headers });
  const { promise, resolve, reject } = Promise.withResolvers<
    WebSocket | { readonly status: number; readonly text: string }
  >();
  socket.on("open", () => resolve(socket));
  socket.on("error", reject);
  socket.on("unexpected-response", (_request, response) => {
    let text = "";
    response.on("data", (chunk) => (text += String(chunk)));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
  });
  return promise;
}

/** Opens a silent connection. */
async function openSilent(url: string): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1" });
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

function count(): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, found) => (error === null ? resolve(found) : reject(error)));
  });
}

const untilCount = (wanted: number): Promise<void> =>
  vi.waitFor(async () => expect(await count()).toBe(wanted), { timeout: 10_000 });

describe("streams without a log-in", () => {
  it("are limited by address, and have room again when one is closed", async () => {
    const url = await open({ limits: { maxAnonymousStreamsPerAddress: 2 } });
    const first = await openSocket(url);
    expect(first).toBeInstanceOf(WebSocket);
    expect(await openSocket(url)).toBeInstanceOf(WebSocket);
    expect(await openSocket(url)).toMatchObject({
      status: 429,
      text: expect.stringContaining("SLIPWAY_MAX_ANONYMOUS_STREAMS_PER_ADDRESS"),
    });
    expect((await fetch(`${url}/api/v2/buildinfo`)).status).toBe(401);
    if (first instanceof WebSocket) first.close();
    await vi.waitFor(async () => expect(await openSocket(url)).toBeInstanceOf(WebSocket));
  });

  it("are limited in all, and by the client's address behind a proxy", async () => {
    const url = await open({
      limits: { maxAnonymousStreamsPerAddress: 1, maxAnonymousStreams: 2 },
      trustedProxies: ["127.0.0.1"],
    });
    expect(await openSocket(url, "192.0.2.1")).toBeInstanceOf(WebSocket);
    expect(await openSocket(url, "192.0.2.1")).toMatchObject({ status: 429 });
    expect(await openSocket(url, "192.0.2.2")).toBeInstanceOf(WebSocket);
    expect(await openSocket(url, "192.0.2.3")).toMatchObject({
      status: 503,
      text: expect.stringContaining("SLIPWAY_MAX_ANONYMOUS_STREAMS."),
    });
  });
});

describe("connections", () => {
  it("are limited by address, whether anything is said on them or not", async () => {
    const url = await open({ limits: { maxConnectionsPerAddress: 8 } });
    const silent = await Promise.all(Array.from({ length: 8 }, () => openSilent(url)));
    await untilCount(8);
    const response = await fetch(`${url}/api/v2/buildinfo`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      message: "Your address has too many connections open.",
      detail: "Try again later. An administrator can raise SLIPWAY_MAX_CONNECTIONS_PER_ADDRESS.",
    });
    await untilCount(8);
    silent[0]?.destroy();
    await untilCount(7);
    expect((await fetch(`${url}/api/v2/buildinfo`)).status).toBe(401);
  });

  it("are limited in all, and refused ones do not stay although their clients do", async () => {
    const url = await open({ limits: { maxConnections: 16 } });
    await Promise.all(Array.from({ length: 16 }, () => openSilent(url)));
    await untilCount(16);
    const refused = await Promise.all(Array.from({ length: 400 }, () => openSilent(url)));
    expect(refused).toHaveLength(400);
    await untilCount(16);
    // Refused clients get the reason as long as few of them linger.
    const status = async (): Promise<number> => (await fetch(`${url}/api/v2/buildinfo`)).status;
    await expect.poll(() => status().catch(() => undefined)).toBe(503);
  });

  it("of a trusted proxy count in all, and its clients' requests by their addresses", async () => {
    const url = await open({
      limits: { maxConnectionsPerAddress: 8, maxConnections: 100 },
      trustedProxies: ["127.0.0.0/8"],
    });
    const open8 = await Promise.all(Array.from({ length: 8 }, () => openSocket(url, "192.0.2.1")));
    for (const socket of open8) expect(socket).toBeInstanceOf(WebSocket);
    expect(await openSocket(url, "192.0.2.1")).toMatchObject({ status: 503 });
    const ask = (from: string): Promise<Response> =>
      fetch(`${url}/api/v2/buildinfo`, { headers: { "X-Forwarded-For": from } });
    expect((await ask("192.0.2.1")).status).toBe(503);
    for (let at = 0; at < 20; at += 1) expect((await ask("192.0.2.2")).status).toBe(401);
    const [first] = open8;
    if (first instanceof WebSocket) first.close();
    await vi.waitFor(async () => expect((await ask("192.0.2.1")).status).toBe(401));
  });

  it("let 2,000 in from one address by default", async () => {
    const url = await open({});
    await Promise.all(Array.from({ length: 2_000 }, () => openSilent(url)));
    await untilCount(2_000);
    expect((await fetch(`${url}/api/v2/buildinfo`)).status).toBe(401);
  });

  it("end when a client reads nothing of its answers", async () => {
    const url = await open({ idleTimeoutMs: 300 });
    const socket = await openSilent(url);
    socket.pause();
    socket.write("GET /api/v2/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20));
    await untilCount(1);
    await untilCount(0);
  });
});
