import { createServer, get } from "node:http";

import { systemClock } from "@slipway/runtime";
import { createNodeSocket } from "@slipway/sdk/node";
import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { memoryTerminal } from "../../tests/support/memory-terminal.ts";
import { traceHttp } from "./http-trace.ts";
import { nodeFetch } from "./node-fetch.ts";

const secret = "s3cret";

/** A server that answers 418, or redirects, and refuses WebSockets; and a trace of requests to it. */
async function openTraced() {
  const http = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://there");
    const location = searchParams.get("redirect");
    if (location === null) response.writeHead(418).end(`{"body":"${secret}"}`);
    else response.writeHead(302, { Location: location }).end();
  });
  http.on("upgrade", (_, socket) =>
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
  );
  const server = await openLocalServer(http);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const terminal = memoryTerminal();
  const trace = traceHttp(terminal.err, systemClock);
  onTestFinished(() => trace[Symbol.dispose]());
  return { url: server.url, trace, lines: () => terminal.errText().replaceAll(/\d+ ms/g, "… ms") };
}

const request = (body?: string) => ({
  ...(body === undefined ? { method: "GET" } : { method: "POST", body }),
  headers: { "Coder-Session-Token": secret, Cookie: `a=${secret}`, "X-Access": secret },
  signal: new AbortController().signal,
});

it("prints each request with its status, and no secret of it", async () => {
  const { url, trace, lines } = await openTraced();
  await nodeFetch(`${url}/api/v2/users/me?q=owner:me&limit=2&code=${secret}`, request(secret));
  const token = `${"a".repeat(10)}-${"b".repeat(22)}`;
  await nodeFetch(`${url}/api/v2/users/me/keys/${token}`, request());
  const elsewhere = encodeURIComponent(`${url}/signed/${secret}?sig=${secret}`);
  await nodeFetch(`${url}/api/v2/files/1?redirect=${elsewhere}`, request());
  expect(lines()).toBe(
    [
      `POST ${url}/api/v2/users/me?q=owner:me&limit=2&code=…: 418 in … ms`,
      `GET ${url}/api/v2/users/me/keys/…: 418 in … ms`,
      `GET ${url}/api/v2/files/1?redirect=…: 302 in … ms`,
      `GET ${url}/…: 418 in … ms`,
      "",
    ].join("\n"),
  );
  trace[Symbol.dispose]();
  await nodeFetch(`${url}/api/v2/users/me`, request());
  expect(lines().split("\n")).toHaveLength(5);
});

it("prints WebSockets, and requests that get no answer", async () => {
  const { url, lines } = await openTraced();
  const socket = createNodeSocket(`${url}/api/v2/watch`, { "Coder-Session-Token": secret });
  // The response has no key, so the WebSocket fails after it.
  await new Promise<void>((resolve) => {
    socket.addEventListener("error", () => resolve());
  });
  await expect(nodeFetch("http://127.0.0.1:1/api/v2/users", request())).rejects.toThrow(
    "ECONNREFUSED",
  );
  expect(lines().split("\n").slice(0, 2)).toEqual([
    `GET ${url}/api/v2/watch: 101 in … ms`,
    "GET http://127.0.0.1:1/api/v2/users: ECONNREFUSED in … ms",
  ]);
});

it("leaves connections to their owners", async () => {
  const { url, lines } = await openTraced();
  // Without a listener for it, Node.js closes an upgraded connection.
  const headers = { Connection: "Upgrade", Upgrade: "websocket" };
  await new Promise<void>(
    (resolve) =>
      void get(`${url}/api/v2/watch`, { headers })
        .on("error", () => undefined)
        .once("close", resolve),
  );
  expect(lines()).not.toContain("101");
});
