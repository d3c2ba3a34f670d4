import { once } from "node:events";
import { type IncomingMessage, request as openRequest } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

import { silentLogger } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { listenOnLoopback } from "../../tests/support/loopback-service.ts";
import { createApiService } from "./api-service.ts";
import type { ConnectionTimes } from "./client-connection.ts";
import { ApiError } from "./errors.ts";
import { type ApiRoute, bytesAnswer, jsonAnswer, streamAnswer } from "./route.ts";

const patient: ConnectionTimes = { keepAliveMs: 60_000, stalledMs: 60_000 };

async function serve(routes: readonly ApiRoute[], times = patient): Promise<number> {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const { signal } = stopping;
  return listenOnLoopback(createApiService({ routes, logger: silentLogger, signal, times }));
}

async function get(port: number, path = "/"): Promise<IncomingMessage> {
  const sent = openRequest({ host: "127.0.0.1", port, path, agent: false });
  sent.end();
  const [response] = await once(sent, "response");
  return response;
}

const chunk = Buffer.alloc(64 * 1024, "x");

it("reads a stream only as fast as its client", async () => {
  let read = 0;
  const endless = (): Readable =>
    new Readable({
      read() {
        read += chunk.length;
        this.push(chunk);
      },
    });
  const handle = async () => streamAnswer(endless());
  const port = await serve([{ kind: "plain", method: "GET", path: "/", handle }]);
  const response = await get(port);
  onTestFinished(() => void response.destroy());
  await once(response, "readable");
  // More than all buffers on the way together would be read at once without back-pressure.
  const [[before], wanted] = [[read], 40 * 1024 * 1024];
  expect(before).toBeLessThan(wanted);
  let received = 0;
  for await (const part of response) {
    received += part.length;
    if (received > wanted) break;
  }
  expect(read).toBeGreaterThanOrEqual(wanted);
});

it("hands on a body as it arrives, and answers before its end", async () => {
  const port = await serve([
    {
      kind: "stream",
      method: "PUT",
      path: "/",
      handle: async ({ body }) => {
        const [first] = await once(body, "data");
        return bytesAnswer(first);
      },
    },
  ]);
  const sent = openRequest({ host: "127.0.0.1", port, method: "PUT" });
  sent.on("error", () => undefined);
  onTestFinished(() => void sent.destroy());
  sent.write("one");
  const [response] = await once(sent, "response");
  expect(await text(response)).toBe("one");
});

it("aborts the signal of a request whose client leaves", async () => {
  const started = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const port = await serve([
    {
      kind: "plain",
      method: "GET",
      path: "/",
      handle: async ({ signal }) => {
        signal.addEventListener("abort", () => left.resolve());
        started.resolve();
        await left.promise;
        return jsonAnswer({});
      },
    },
  ]);
  const sent = openRequest({ host: "127.0.0.1", port });
  sent.on("error", () => undefined);
  sent.end();
  await started.promise;
  sent.destroy();
  await left.promise;
});

it("disconnects a client after the time limit of a route", async () => {
  const handle = () => new Promise<never>(() => undefined);
  const port = await serve([{ kind: "plain", method: "GET", path: "/", timeoutMs: 20, handle }]);
  await expect(get(port)).rejects.toThrow("socket hang up");
});

it.each(["sends no more of its body", "does not read its answer"])(
  "disconnects a client that %s",
  async (what) => {
    const ended = Promise.withResolvers<void>();
    const endless = new Readable({
      read() {
        this.push(chunk);
      },
    });
    const port = await serve(
      [
        {
          kind: "stream",
          method: "PUT",
          path: "/",
          handle: async ({ body, signal }) => {
            signal.addEventListener("abort", () => ended.resolve());
            if (what === "does not read its answer") return streamAnswer(endless);
            return jsonAnswer({ body: await text(body) });
          },
        },
      ],
      { keepAliveMs: 60_000, stalledMs: 20 },
    );
    const sent = openRequest({ host: "127.0.0.1", port, method: "PUT" });
    sent.on("error", () => undefined);
    sent.write("part");
    await ended.promise;
  },
);

it("disconnects a client that sends no further request", async () => {
  const handle = async () => jsonAnswer({});
  const routes: readonly ApiRoute[] = [{ kind: "plain", method: "GET", path: "/", handle }];
  const port = await serve(routes, { keepAliveMs: 20, stalledMs: 60_000 });
  const sent = openRequest({ host: "127.0.0.1", port, headers: { connection: "keep-alive" } });
  sent.end();
  const [response] = await once(sent, "response");
  response.resume();
  await once(response.socket, "close");
});

const echo: ApiRoute = {
  kind: "socket",
  path: "/echo/:word",
  maxMessageBytes: 16,
  open: async ({ params }) => {
    if (params["word"] === "no") throw new ApiError(409, "Not now.");
    return async (socket) => {
      const [data] = await once(socket.raw, "message");
      await socket.send(`${params["word"]} ${data}`);
    };
  },
};

async function openSocket(port: number, path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  onTestFinished(() => socket.terminate());
  socket.on("error", () => undefined);
  return socket;
}

it("serves a socket and closes it", async () => {
  const socket = await openSocket(await serve([echo]), "/echo/yes");
  await once(socket, "open");
  const closed = once(socket, "close");
  socket.send("hello");
  const [message] = await once(socket, "message");
  expect(String(message)).toBe("yes hello");
  expect((await closed)[0]).toBe(1000);
});

it("closes a socket whose client sends a larger message than the route takes", async () => {
  const socket = await openSocket(await serve([echo]), "/echo/yes");
  await once(socket, "open");
  const closed = once(socket, "close");
  socket.send("x".repeat(17));
  expect((await closed)[0]).toBe(1009);
});

it("answers a refused upgrade with the error", async () => {
  const socket = await openSocket(await serve([echo]), "/echo/no");
  const [, response] = await once(socket, "unexpected-response");
  expect(response.statusCode).toBe(409);
  expect(JSON.parse(await text(response))).toEqual({ message: "Not now." });
});

it("tells a plain request for a socket what it needs", async () => {
  expect((await get(await serve([echo]), "/echo/yes")).statusCode).toBe(426);
});
