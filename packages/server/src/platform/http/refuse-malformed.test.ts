import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { silentLogger } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { createHttpServer } from "./http-server.ts";

/** Sends bytes on a connection of their own; resolves to the answer until the server closes. */
async function answerTo(bytes: string): Promise<{ head: string; body: unknown }> {
  const app = await createHttpServer("v1", silentLogger, { requestTimeoutMs: 200 });
  onTestFinished(() => app.close());
  const socket = connect(Number(new URL(await app.listen({ port: 0 })).port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(bytes);
  const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
  return { head, body: JSON.parse(body) };
}

it.each([
  [
    "no request of HTTP",
    "hello\r\n\r\n",
    "400 Bad Request",
    { message: "The request is not valid HTTP.", detail: "Invalid method encountered." },
  ],
  [
    "two lengths of the body",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "400 Bad Request",
    {
      message: "The request is not valid HTTP.",
      detail: "Transfer-Encoding can't be present with Content-Length.",
    },
  ],
  [
    "a head that is too large",
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(20_000)}\r\n\r\n`,
    "431 Request Header Fields Too Large",
    { message: "The header fields of the request are too large." },
  ],
  [
    "a head that does not come to its end",
    "GET / HTTP/1.1\r\nHost: x\r\n",
    "408 Request Timeout",
    { message: "The request was not sent in time." },
  ],
])("answers %s with an error of the API", async (_what, bytes, status, body) => {
  const answer = await answerTo(bytes);
  expect(answer.head.split("\r\n")[0]).toBe(`HTTP/1.1 ${status}`);
  expect(answer.head).toContain("Content-Type: application/json; charset=utf-8");
  expect(answer.head).toContain("Connection: close");
  expect(answer.body).toEqual(body);
});
