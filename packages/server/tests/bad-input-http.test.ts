import { getBuildInfo } from "@slipway/api/deployment/routes";
import { silentLogger } from "@slipway/runtime";
import { openClient } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { createHttpServer } from "../src/platform/http/http-server.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { sendRaw } from "./support/raw-socket.ts";

/* Invalid HTTP messages: each is answered or disconnected, and the server keeps responding. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterAll(() => opened.disposeAsync());

describe("a message that is no HTTP", () => {
  const login = "POST /api/v2/users/login HTTP/1.1\r\nHost: x\r\n";

  it.each([
    ["a text", "GARBAGE\r\n\r\n", 400],
    ["bytes in the path", Buffer.from("GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", "latin1"), 400],
    ["no host", "GET /api/v2/buildinfo HTTP/1.1\r\n\r\n", 400],
    ["two hosts", "GET /api/v2/buildinfo HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400],
    ["no host in the host", "GET /api/v2/buildinfo HTTP/1.1\r\nHost: x/y\r\n\r\n", 400],
    ["another scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    [
      "two hosts that want an upgrade",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
      400,
    ],
    [
      "two hosts that want to continue",
      `${login}Host: y\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
      400,
    ],
    ["two lengths", `${login}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`, 400],
    [
      "a length and chunks",
      `${login}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["a length below zero", `${login}Content-Length: -1\r\n\r\n`, 400],
    [
      "a length of a petabyte",
      `${login}Connection: close\r\nContent-Length: 999999999999999\r\n\r\n{`,
      413,
    ],
    ["a chunk without a length", `${login}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`, 400],
    ["U+0000 in a header", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400],
    ["a long header", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(20_000)}\r\n\r\n`, 431],
    ["a long URL", `GET /${"b".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ["a flood of headers", `GET / HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(8_000)}`, 431],
    ["a tunnel", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 0],
    [
      "an upgrade to something else",
      "GET /api/v2/buildinfo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
      400,
    ],
  ])("is refused: %s", async (_, message, status) => {
    expect(await sendRaw(server.url, message)).toMatchObject({ status });
  });

  it("but whose URL is absolute is answered like one with the path", async () => {
    const answer = await sendRaw(
      server.url,
      "GET HTTP://x/api/v2/buildinfo?a HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n",
    );
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toContain('"version"');
  });

  it("and takes its time is cut off", async () => {
    const slow = await createHttpServer("v0", silentLogger, { requestTimeoutMs: 200 });
    try {
      slow.post("/", async () => "never");
      const url = await slow.listen({ port: 0, host: "127.0.0.1" });
      const head = "POST / HTTP/1.1\r\nHost: x\r\n";
      const answers = await Promise.all([
        sendRaw(url, `${head}Content-Length: 5\r\n\r\n{`),
        sendRaw(url, head),
        sendRaw(url, `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([408, 408, 408]);
    } finally {
      await slow.close();
    }
  });
});

it("has not harmed the server", async () => {
  expect(await openClient(server.url).call(getBuildInfo)).toHaveProperty("version");
});
