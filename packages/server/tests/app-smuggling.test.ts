import { buffer } from "node:stream/consumers";

import { afterAll, beforeAll, expect, it } from "vitest";

import { AppStage } from "./support/app-stage.ts";
import { sendRaw } from "./support/raw-socket.ts";

/* Viewers who would have one request of theirs taken for two. */

let stage: AppStage;

beforeAll(async () => {
  stage = await AppStage.open();
});

afterAll(() => stage[Symbol.asyncDispose]());

it.each(["GET", "POST", "DELETE"])(
  "takes nothing of the body of a %s for another request, whatever its Connection header names",
  async (method) => {
    stage.answer = (asked, response) => void buffer(asked).then((body) => response.end(body));
    stage.app.requests.length = 0;
    const smuggled = `GET /smuggled HTTP/1.1\r\nHost: ${stage.host}\r\n\r\n`;
    const fields = [
      `${method} / HTTP/1.1`,
      `Host: ${stage.host}`,
      `Coder-Session-Token: ${stage.headers["Coder-Session-Token"]}`,
      "Connection: close, Content-Length",
      `Content-Length: ${smuggled.length}`,
    ];
    const got = await sendRaw(stage.server.url, `${fields.join("\r\n")}\r\n\r\n${smuggled}`);
    expect(got).toMatchObject({ status: 200, body: smuggled });
    await stage.ask("/next");
    expect(stage.app.requests.map(({ url }) => url)).toEqual(["/", "/next"]);
  },
);

it.each([
  ["two lengths", "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"],
  ["a length beside chunks", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a bad chunk", "Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
  ["a header of 100 KB", `X: ${"x".repeat(100_000)}\r\n\r\n`],
])("refuses a request with %s, and lets nothing of it be another request", async (_what, rest) => {
  stage.answer = (_asked, response) => response.end("x");
  stage.app.requests.length = 0;
  const token = stage.headers["Coder-Session-Token"];
  const head = `POST / HTTP/1.1\r\nHost: ${stage.host}\r\nCoder-Session-Token: ${token}\r\n`;
  const smuggled = `GET /smuggled HTTP/1.1\r\nHost: ${stage.host}\r\n\r\n`;
  const got = await sendRaw(stage.server.url, `${head}${rest}${smuggled}`);
  expect([400, 431]).toContain(got.status);
  expect(stage.app.requests.map(({ url }) => url)).not.toContain("/smuggled");
});
