import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AppStage } from "./support/app-stage.ts";
import { type Answered, ask } from "./support/app-world.ts";
import { tokenOf } from "./support/apps-site.ts";
import { addPerson } from "./support/people.ts";
import { sendRaw } from "./support/raw-socket.ts";

/* Viewers who try to pass one request off as two, or as the beginning of another viewer's request. */

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
    // On a busy machine it may arrive after the server has given up waiting for its answer.
    const urls = () => stage.app.requests.map(({ url }) => url);
    await expect.poll(urls, { timeout: 20_000 }).toEqual(["/", "/next"]);
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

describe("the connections to an app that knows no upgrades", () => {
  /** Opens an app that echoes its requests with the number of the connection. */
  async function openPlainApp(): Promise<string> {
    let connections = 0;
    const numbers = new WeakMap<object, number>();
    const app = createServer((asked, response) => {
      const { method, url, headers, socket } = asked;
      const answer = { method, url, upgrade: headers.upgrade, connection: numbers.get(socket) };
      const respond = (body: Buffer): void =>
        void response.end(JSON.stringify({ ...answer, body: body.toString() }));
      // Some end before their body.
      buffer(asked).then(respond, () => undefined);
    });
    return stage.openPort((socket) => {
      numbers.set(socket, (connections += 1));
      app.emit("connection", socket);
    });
  }

  const asked = (host: string, fields: readonly string[], rest = ""): Promise<{ body: string }> => {
    const token = `Coder-Session-Token: ${stage.headers["Coder-Session-Token"]}`;
    const head = ["GET /asked HTTP/1.1", `Host: ${host}`, token, ...fields];
    return sendRaw(stage.server.url, `${head.join("\r\n")}\r\n\r\n${rest}`);
  };

  const upgrade = ["Connection: close, Upgrade", "Upgrade: websocket"];

  it.each([
    ["a length", ["Content-Length: 5"], "abcde"],
    ["chunks", ["Transfer-Encoding: chunked"], "5\r\nabcde\r\n0\r\n\r\n"],
  ])("carry an upgrade with %s as a plain request, with its body", async (_what, fields, bytes) => {
    const host = await openPlainApp();
    const { body } = await asked(host, [...upgrade, ...fields], bytes);
    expect(body).toContain('"method":"GET","url":"/asked","connection":1,"body":"abcde"');
    const next = await ask(stage.server.url, "/next", { host, headers: stage.headers });
    expect(JSON.parse(next.text)).toMatchObject({ url: "/next", body: "" });
  });

  it("carry nothing of an upgrade whose body does not come", async () => {
    const host = await openPlainApp();
    await ask(stage.server.url, "/first", { host, headers: stage.headers });
    const unfinished = stage.begin("GET", "/unfinished");
    unfinished.setHeader("Host", host);
    unfinished.setHeader("Connection", "Upgrade");
    unfinished.setHeader("Upgrade", "websocket");
    unfinished.setHeader("Content-Length", "40");
    unfinished.flushHeaders();
    for (const path of ["/second", "/third"]) {
      const next = await ask(stage.server.url, path, { host, headers: stage.headers });
      expect(JSON.parse(next.text)).toMatchObject({ url: path, body: "" });
    }
  });

  it("are used no more after a request for an upgrade", async () => {
    const host = await openPlainApp();
    const numberOf = async (): Promise<unknown> => {
      const { text } = await ask(stage.server.url, "/", { host, headers: stage.headers });
      return Reflect.get(Object(JSON.parse(text)), "connection");
    };
    expect(await numberOf()).toBe(1);
    expect(await numberOf()).toBe(1);
    expect((await asked(host, upgrade)).body).toContain('"upgrade":"websocket","connection":1');
    expect(await numberOf()).toBe(2);
  });
});

describe("a kept connection to an app", () => {
  const open = async (
    host: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answered> => {
    stage.app.connections.clear();
    return ask(stage.server.url, "/", { host, headers });
  };

  it("is used by the requests of one viewer only", async () => {
    stage.answer = (_asked, response) => response.end("x");
    const host = stage.hostOf("team");
    const { client } = await addPerson(stage.server, "lee");
    const other = { "Coder-Session-Token": tokenOf(client) };
    await open(host, stage.headers);
    expect(await open(host, stage.headers)).toMatchObject({ status: 200 });
    expect(stage.app.connections.size).toBe(0);
    expect(await open(host, other)).toMatchObject({ status: 200 });
    expect(stage.app.connections.size).toBe(1);
    await open(host, stage.headers);
    expect(stage.app.connections.size).toBe(0);
  });

  it("of a viewer without a login is used by requests with the same decision only", async () => {
    stage.answer = (_asked, response) => response.end("x");
    const host = stage.hostOf("open");
    const first = await open(host, {});
    expect(stage.app.connections.size).toBe(1);
    const second = await open(host, {});
    expect(stage.app.connections.size).toBe(1);
    const cookieOf = ({ headers }: Answered): Record<string, string> => ({
      Cookie: headers["set-cookie"]?.[0]?.split(";")[0] ?? "",
    });
    const [one, two] = [cookieOf(first), cookieOf(second)];
    await open(host, one);
    expect(stage.app.connections.size).toBe(1);
    await open(host, one);
    expect(stage.app.connections.size).toBe(0);
    await open(host, two);
    expect(stage.app.connections.size).toBe(1);
  });
});
