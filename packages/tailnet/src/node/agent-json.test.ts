import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

import { type Clock, systemClock } from "@slipway/runtime";
import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { readAgentJson } from "./agent-json.ts";

type DialedAgent = Parameters<typeof readAgentJson>[0];

const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
};

/** Opens an agent that handles each connection as a hostile one may. */
async function openAgent(
  serve: (socket: Socket) => void,
): Promise<{ readonly agent: DialedAgent; readonly ended: Promise<unknown> }> {
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  const { port, ...server } = await openLocalServer(
    createServer((socket) => {
      socket.on("close", resolve);
      socket.once("data", () => serve(socket));
    }),
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  const agent: DialedAgent = {
    dial: async () => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return socket;
    },
  };
  return { agent, ended };
}

function read(
  agent: DialedAgent,
  { signal = AbortSignal.timeout(10_000), clock = systemClock } = {},
): Promise<unknown> {
  return readAgentJson(agent, { path: "/x", clock, signal });
}

function answer(status: string, body: string, headers = ""): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

it("reads JSON, and closes the connection", async () => {
  const { agent, ended } = await openAgent((socket) => socket.write(answer("200 OK", '{"a":1}')));
  expect(await read(agent)).toEqual({ a: 1 });
  await ended;
});

/** Sends more data repeatedly, as long as the reader reads. */
function flood(socket: Socket, text: string): void {
  socket.on("error", () => socket.destroy());
  const more = (): void => {
    if (socket.destroyed) return;
    if (socket.write(text.repeat(1000))) setImmediate(more);
    else socket.once("drain", more);
  };
  more();
}

it.each<[string, string, (socket: Socket) => void]>([
  ["another status", "refused", (socket) => socket.write(answer("403 Forbidden", "{}"))],
  [
    "a redirect",
    "refused",
    (socket) => socket.write(answer("302 Found", "", "Location: http://127.0.0.1/\r\n")),
  ],
  ["what is not JSON", "malformed", (socket) => socket.write(answer("200 OK", "<html>"))],
  ["what is not HTTP", "no-answer", (socket) => socket.write("SSH-2.0-x\r\n")],
  ["silence", "no-answer", () => undefined],
  [
    "an end in the middle",
    "no-answer",
    (socket) => socket.end(answer("200 OK", "{}").slice(0, -1)),
  ],
  [
    "an endless body",
    "too-large",
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      flood(socket, "[");
    },
  ],
  [
    "an endless body that begins well",
    "no-answer",
    (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n{}"),
  ],
  [
    "endless headers",
    "no-answer",
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      flood(socket, "X: y\r\n");
    },
  ],
  [
    "endless interim answers",
    "no-answer",
    (socket) => flood(socket, "HTTP/1.1 103 Early Hints\r\n\r\n"),
  ],
])("refuses %s as %s, and closes the connection", async (_what, code, serve) => {
  const { agent, ended } = await openAgent(serve);
  // Some of these responses end only when the time is up.
  const clock = code === "no-answer" ? hastyClock : systemClock;
  await expect(read(agent, { clock })).rejects.toMatchObject({ name: "AgentHttpError", code });
  await ended;
});

it("throws the signal's reason, and closes the connection", async () => {
  const gone = new AbortController();
  const { agent, ended } = await openAgent(() => gone.abort(new Error("the client left")));
  await expect(read(agent, { signal: gone.signal })).rejects.toThrow("the client left");
  await ended;
});
