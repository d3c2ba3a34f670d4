import { getEventListeners } from "node:events";
import { createServer } from "node:http";
import type { Duplex } from "node:stream";

import type { AgentLog } from "@slipway/api/agents/log-routes";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { createFakeClock, type LocalServer, openLocalServer } from "@slipway/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

import { ApiClient, type ApiClientOptions } from "../http/client.ts";
import { followLog, type FollowOptions } from "./follow.ts";
import { createWebSocket } from "./socket.ts";

const params = { agent: "a" };

interface LogServer {
  readonly server: LocalServer;
  /** The value of `after` for each connection, in order. */
  readonly asked: string[];
  /** The tokens of the requests. */
  readonly tokens: unknown[];
}

/** Opens a server whose n-th connection is served by the n-th function; plain requests get 200. */
async function serve(...connections: ((socket: WebSocket) => void)[]): Promise<LogServer> {
  const asked: string[] = [];
  const tokens: unknown[] = [];
  const http = createServer((_request, response) => response.end("[]"));
  new WebSocketServer({ server: http }).on("connection", (socket, request) => {
    const query = new URL(request.url ?? "", "http://server").searchParams;
    expect(query.get("follow")).toBe("true");
    tokens.push(request.headers["coder-session-token"]);
    asked.push(query.get("after") ?? "");
    connections[asked.length - 1]?.(socket);
  });
  const server = await openLocalServer(http);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { server, asked, tokens };
}

function send(socket: WebSocket, ...ids: number[]): void {
  socket.send(`${JSON.stringify(ids.map((id) => ({ id })))}\n`);
}

interface FollowedLog {
  readonly lost: unknown[];
  readonly entries: AsyncGenerator<AgentLog, void, undefined>;
}

/** Follows with a clock that skips every wait. */
function follow(
  serverUrl: string,
  signal = new AbortController().signal,
  after = 0,
  more: Pick<FollowOptions<typeof getAgentLogs>, "isComplete"> &
    Pick<ApiClientOptions, "createSocket"> = {},
): FollowedLog {
  const clock = createFakeClock();
  const { createSocket, ...options } = more;
  const lost: unknown[] = [];
  const entries = followLog<AgentLog, typeof getAgentLogs>({
    client: new ApiClient({
      serverUrl,
      token: "t",
      ...(createSocket === undefined ? {} : { createSocket }),
    }),
    route: getAgentLogs,
    params,
    after,
    clock,
    signal,
    ...options,
    onReconnect: (error) => {
      lost.push(error);
      void clock.advance(60_000);
    },
  });
  return { lost, entries };
}

async function idsOf(entries: AsyncIterable<AgentLog>): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of entries) ids.push(id);
  return ids;
}

describe("followLog", () => {
  it("loses and repeats nothing over lost connections", async () => {
    const { server, asked, tokens } = await serve(
      (socket) => {
        send(socket, 1, 2);
        socket.send(JSON.stringify({ id: 3 }), () => socket.terminate());
      },
      // It sends the same lines again, as does a server that does not know `after`.
      (socket) => {
        send(socket, 2, 3, 4);
        socket.close(1011, "broken");
      },
      (socket) => {
        send(socket);
        send(socket, 5);
        socket.close(1000);
      },
    );
    const { entries, lost } = follow(server.url);
    expect(await idsOf(entries)).toEqual([1, 2, 3, 4, 5]);
    expect(asked).toEqual(["", "3", "4"]);
    expect(tokens).toEqual(["t", "t", "t"]);
    expect(lost.map(String)).toEqual([
      "Error: stream closed with 1006",
      "Error: stream closed with 1011 broken",
    ]);
  });

  it("reads on for longer than a server may take to open the stream", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const opened = Promise.withResolvers<WebSocket>();
    const { server } = await serve((socket) => {
      send(socket, 1);
      opened.resolve(socket);
    });
    const { entries } = follow(server.url);
    expect(await entries.next()).toMatchObject({ value: { id: 1 } });
    vi.advanceTimersByTime(30_000);
    const socket = await opened.promise;
    send(socket, 2);
    socket.close(1000);
    expect(await idsOf(entries)).toEqual([2]);
  });

  it("begins after the id it is given", async () => {
    const { server, asked } = await serve((socket) => {
      send(socket, 7, 8);
      socket.close(1000);
    });
    expect(await idsOf(follow(server.url, undefined, 7).entries)).toEqual([8]);
    expect(asked).toEqual(["7"]);
  });

  it("goes on when the server was away for some attempts", async () => {
    let requests = 0;
    const http = createServer((request) => request.socket.destroy());
    const sockets = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, socket, head) => {
      requests += 1;
      if (requests < 3) socket.destroy();
      else {
        sockets.handleUpgrade(request, socket, head, (accepted) => {
          send(accepted, 1);
          accepted.close(1000);
        });
      }
    });
    await using server = await openLocalServer(http);
    const { entries, lost } = follow(server.url);
    expect(await idsOf(entries)).toEqual([1]);
    expect(lost).toMatchObject([{ code: "connect-error" }, { code: "connect-error" }]);
  });

  it("reads by requests where no socket opens, until the log is complete", async () => {
    const kept = [1, 2];
    const asked: unknown[] = [];
    await using server = await openLocalServer(
      createServer((request, response) => {
        const query = new URL(request.url ?? "", "http://server").searchParams;
        if (query.has("follow")) return response.writeHead(426).end("{}");
        const after = Number(query.get("after"));
        asked.push(after);
        return response.end(JSON.stringify(kept.filter((id) => id > after).map((id) => ({ id }))));
      }),
    );
    let questions = 0;
    const isComplete = async (): Promise<boolean> => {
      questions += 1;
      // Written at the last moment.
      if (questions === 3) kept.push(3);
      return questions === 3;
    };
    const { entries } = follow(server.url, undefined, 0, { isComplete });
    expect(await idsOf(entries)).toEqual([1, 2, 3]);
    expect(asked).toEqual([0, 2, 2]);
  });

  it("reports a socket that does not open for five seconds, and then that there is none", async () => {
    const upgraded = Promise.withResolvers<Duplex>();
    const http = createServer((_request, response) => response.end('[{"id":1}]'));
    http.on("upgrade", (_request, socket) => upgraded.resolve(socket));
    await using server = await openLocalServer(http);
    const clock = createFakeClock();
    const told: string[] = [];
    const controller = new AbortController();
    const entries = followLog<AgentLog, typeof getAgentLogs>({
      client: new ApiClient({ serverUrl: server.url, token: "t" }),
      route: getAgentLogs,
      params,
      clock,
      signal: controller.signal,
      onSlow: () => told.push("slow"),
      onReconnect: () => told.push("lost"),
      onWithoutSocket: () => told.push("no socket"),
    });
    const first = entries.next();
    const socket = await upgraded.promise;
    await clock.advance(4_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(["slow"]);
    socket.destroy();
    expect(await first).toMatchObject({ value: { id: 1 } });
    const next = expect(entries.next()).rejects.toThrow("enough");
    await vi.waitUntil(() => told.length === 2);
    expect(told).toEqual(["slow", "no socket"]);
    controller.abort(new Error("enough"));
    await next;
  });

  it.each([404, 410])("ends when a log that was read is refused with %i", async (status) => {
    let requests = 0;
    await using server = await openLocalServer(
      createServer((request, response) => {
        if (request.url?.includes("follow=true")) return response.writeHead(426).end("{}");
        requests += 1;
        return requests === 1
          ? response.end('[{"id":1}]')
          : response.writeHead(status).end('{"message":"gone"}');
      }),
    );
    expect(await idsOf(follow(server.url).entries)).toEqual([1]);
    expect(await idsOf(follow(server.url, undefined, 1).entries)).toEqual([]);
  });

  it.each([401, 404])("throws the refusal %i instead of trying for ever", async (status) => {
    const body = JSON.stringify({ message: "not for you" });
    await using server = await openLocalServer(
      createServer((_request, response) => response.writeHead(status).end(body)),
    );
    const { entries } = follow(server.url);
    await expect(entries.next()).rejects.toMatchObject({ status, message: "not for you" });
  });

  it.each(["<html>", "7", "[null]", '[{"id":1},"x"]', ""])(
    "refuses the message %j",
    async (text) => {
      const { server } = await serve((socket) => socket.send(text));
      await expect(follow(server.url).entries.next()).rejects.toMatchObject({
        code: "answer-error",
      });
    },
  );

  it("throws the reason of the signal and closes the socket", async () => {
    const closed = Promise.withResolvers<number>();
    const { server } = await serve((socket) => {
      socket.on("close", (code) => closed.resolve(code));
      send(socket, 1);
    });
    const controller = new AbortController();
    const { entries } = follow(server.url, controller.signal);
    await entries.next();
    const outcome = expect(entries.next()).rejects.toThrow("enough");
    controller.abort(new Error("enough"));
    await outcome;
    expect(await closed.promise).toBe(1000);
  });

  it("throws the reason of a signal that is aborted while the socket is created", async () => {
    const { server } = await serve((socket) => send(socket, 1));
    const controller = new AbortController();
    const createSocket: ApiClientOptions["createSocket"] = (url, headers) => {
      controller.abort(new Error("enough"));
      return createWebSocket(url, headers);
    };
    const { entries } = follow(server.url, controller.signal, 0, { createSocket });
    await expect(entries.next()).rejects.toThrow("enough");
  });

  it("leaves no listener on a signal that outlives the log", async () => {
    const { server } = await serve((socket) => {
      send(socket, 1);
      socket.close(1000);
    });
    const { signal } = new AbortController();
    expect(await idsOf(follow(server.url, signal).entries)).toEqual([1]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("waits little after each loss of a connection that brought something", async () => {
    const losses = Array.from({ length: 6 }, (_, index) => (socket: WebSocket): void => {
      send(socket, index + 1);
      socket.close(1011);
    });
    const { server } = await serve(...losses, (socket) => socket.close(1000));
    const delays: number[] = [];
    const sleep = async (ms: number): Promise<void> => void delays.push(ms);
    const entries = followLog<AgentLog, typeof getAgentLogs>({
      client: new ApiClient({ serverUrl: server.url, token: "t" }),
      route: getAgentLogs,
      params,
      clock: { ...createFakeClock(), sleep },
      signal: new AbortController().signal,
    });
    expect(await idsOf(entries)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(delays).toHaveLength(6);
    expect(Math.max(...delays)).toBeLessThanOrEqual(100);
  });

  it("reads a log that is longer than what may wait for a slow reader", async () => {
    const output = "x".repeat(1024 * 1024);
    const { server } = await serve((socket) => {
      const sendFrom = (id: number): void => {
        if (id > 20) socket.close(1000);
        else socket.send(JSON.stringify({ id, output }), () => setImmediate(sendFrom, id + 1));
      };
      sendFrom(1);
    });
    const { entries, lost } = follow(server.url);
    expect(await idsOf(entries)).toHaveLength(20);
    expect(lost).toEqual([]);
  });

  it("closes the socket when its reader leaves", async () => {
    const closed = Promise.withResolvers<number>();
    const { server } = await serve((socket) => {
      socket.on("close", (code) => closed.resolve(code));
      send(socket, 1, 2);
    });
    for await (const _ of follow(server.url).entries) break;
    expect(await closed.promise).toBe(1000);
  });
});
