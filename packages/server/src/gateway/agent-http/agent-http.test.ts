import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

import { systemClock } from "@slipway/runtime";
import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";

import type { AgentReach } from "../../network/own-peer/own-peer.ts";
import { Unreachable } from "../../platform/errors/errors.ts";
import { AgentHttp } from "./agent-http.ts";

const agentId = "f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";

interface OpenedAgent {
  readonly agents: AgentHttp;
  /** Returns the number of connections to the agent so far. */
  readonly dials: () => number;
}

async function openAgents(
  server: Server | ReturnType<typeof createTcpServer>,
): Promise<OpenedAgent> {
  const { port, ...listener } = await openLocalServer(server);
  onTestFinished(() => listener[Symbol.asyncDispose]());
  let dials = 0;
  const reach: AgentReach = {
    reachAgent: async () => ({
      dial: async () => {
        dials += 1;
        const socket = connect(port, "127.0.0.1");
        await once(socket, "connect");
        return socket;
      },
    }),
  };
  const agents = new AgentHttp({ reach, clock: systemClock });
  onTestFinished(() => agents[Symbol.dispose]());
  return { agents, dials: () => dials };
}

const openHttp = (listener: RequestListener): Promise<OpenedAgent> =>
  openAgents(createServer(listener));

const openTcp = (serve: (socket: Socket) => void): Promise<OpenedAgent> =>
  openAgents(
    createTcpServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", () => serve(socket));
    }),
  );

const signal = (): AbortSignal => AbortSignal.timeout(10_000);
const get = { method: "GET", path: "/x", timeoutMs: 200 } as const;

it("sends and reads JSON, and keeps the connection for the next request", async () => {
  const { agents, dials } = await openHttp((request, response) => {
    void text(request).then((body) => {
      response.end(JSON.stringify({ path: request.url, body, host: request.headers.host }));
    });
  });
  const call = { method: "POST", path: "/a?b=c", json: { d: 1 }, signal: signal() } as const;
  for (let turn = 0; turn < 5; turn += 1) {
    const answer = await agents.json(agentId, call);
    expect(answer).toEqual({ path: "/a?b=c", body: '{"d":1}', host: "agent" });
  }
  expect(dials()).toBe(1);
});

it("repeats a request whose kept connection has closed, but only if it may come twice", async () => {
  let answered = 0;
  const { agents } = await openHttp((request, response) => {
    answered += 1;
    // Each connection carries one request, although the answer says otherwise.
    if (answered % 2 === 1) response.end("{}");
    else request.socket.destroy();
  });
  await agents.json(agentId, { ...get, signal: signal() });
  expect(await agents.json(agentId, { ...get, signal: signal() })).toEqual({});
  await expect(
    agents.json(agentId, { ...get, method: "POST", signal: signal() }),
  ).rejects.toMatchObject({ name: "Unreachable", wasSent: true });
});

it("streams bodies both ways, as fast as they are read", async () => {
  const { agents } = await openHttp((request, response) => void request.pipe(response));
  const chunk = Buffer.alloc(64 * 1024, "x");
  let read = 0;
  async function* produce(): AsyncGenerator<Buffer> {
    for (let turn = 0; turn < 300; turn += 1) {
      read += chunk.length;
      yield chunk;
    }
  }
  const body = Readable.from(produce());
  const answer = await agents.open(agentId, { ...get, method: "PUT", body, signal: signal() });
  await once(answer, "readable");
  await expect.poll(() => read).toBeGreaterThan(chunk.length);
  const whole = 300 * chunk.length;
  // The answer is not read, so that buffers fill up.
  expect(read).toBeLessThan(whole);
  let bytes = 0;
  for await (const part of answer) bytes += part.length;
  expect(bytes).toBe(whole);
});

it.each<[number, string]>([
  [400, "Invalid"],
  [404, "NotFound"],
  [409, "Conflict"],
  [410, "Gone"],
  [413, "TooLarge"],
  [429, "RateLimited"],
  [503, "Unavailable"],
  [507, "NoSpace"],
  [302, "Unreachable"],
  [500, "Unreachable"],
])("translates the status %d into %s, with clean texts", async (status, name) => {
  const message = `no\u001b[2J ${"x".repeat(5_000)}`;
  const { agents } = await openHttp((_, response) => {
    response.writeHead(status, { location: "http://127.0.0.1/" });
    response.end(JSON.stringify({ message, detail: "because\r\n" }));
  });
  const error: unknown = await agents.json(agentId, { ...get, signal: signal() }).catch((e) => e);
  expect(error).toMatchObject({ name, detail: expect.stringContaining("because") });
  expect(JSON.stringify([error, String(error)])).not.toMatch(/\\u001b|x{2000}/);
});

it.each<[string, (socket: Socket) => void]>([
  ["silence", () => undefined],
  ["another protocol", (socket) => socket.write("SSH-2.0-x\r\n")],
  ["an end", (socket) => socket.end()],
  ["half an answer", (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")],
  ["half a refusal", (socket) => socket.write("HTTP/1.1 404 X\r\nContent-Length: 9\r\n\r\n{}")],
])("reports %s in time", async (_what, serve) => {
  const { agents } = await openTcp(serve);
  await expect(agents.json(agentId, { ...get, signal: signal() })).rejects.toMatchObject({
    name: "Unreachable",
    wasSent: true,
  });
});

it.each([
  ["too much", "x".repeat(2_000)],
  ["no JSON", "<html>"],
])("refuses %s", async (_what, body) => {
  const { agents } = await openHttp((_, response) => response.end(body));
  await expect(
    agents.json(agentId, { ...get, maxAnswerBytes: 1_000, signal: signal() }),
  ).rejects.toThrow(Unreachable);
});

it("ends with the signal, before and within the answer", async () => {
  const requests: IncomingMessage[] = [];
  const { agents } = await openHttp((request, response) => {
    requests.push(request);
    if (request.url === "/begun") response.write("x");
  });
  const gone = new AbortController();
  const asked = agents.json(agentId, { ...get, timeoutMs: 10_000, signal: gone.signal });
  const begun = await agents.open(agentId, { ...get, path: "/begun", signal: gone.signal });
  await expect.poll(() => requests.length).toBe(2);
  gone.abort(new Error("the user left"));
  await expect(asked).rejects.toThrow("the user left");
  await expect(text(begun)).rejects.toThrow();
  await Promise.all(requests.map(async ({ socket }) => socket.destroyed || once(socket, "close")));
});

it("opens WebSockets, and translates their refusals", async () => {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (request.url === "/ok") {
      sockets.handleUpgrade(request, socket, head, (one) => one.send("hello"));
    } else {
      socket.end('HTTP/1.1 404 X\r\nContent-Length: 16\r\n\r\n{"message":"no"}');
    }
  });
  const { agents } = await openAgents(server);
  const call = { maxMessageBytes: 100, signal: signal() };
  const socket = await agents.openSocket(agentId, { ...call, path: "/ok" });
  const message = once(socket, "message");
  socket.resume();
  expect(String((await message)[0])).toBe("hello");
  socket.terminate();
  await expect(agents.openSocket(agentId, { ...call, path: "/none" })).rejects.toMatchObject({
    name: "NotFound",
    message: "no",
  });
});
