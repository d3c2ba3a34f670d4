import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";

import { AppStage, answerOf, appSettings } from "./support/app-stage.ts";
import { ask } from "./support/app-world.ts";
import { openReplica } from "./support/open-server.ts";

/* Data between a viewer and an app: bodies and events in both directions, and WebSockets. */

let stage: AppStage;

beforeAll(async () => {
  stage = await AppStage.open();
});

afterAll(() => stage[Symbol.asyncDispose]());

describe("bodies", () => {
  it.each(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])(
    "of %s requests arrive, and their answers",
    async (method) => {
      stage.answer = (asked, response) => {
        void buffer(asked).then((body) => {
          response.writeHead(201, "Made Up", [
            "X-Method",
            asked.method ?? "",
            "X-Twice",
            "1",
            "X-Twice",
            "2",
          ]);
          response.end(`got ${body.toString()}`);
        });
      };
      const hasBody = ["PUT", "POST", "PATCH"].includes(method);
      const got = await stage.ask("/x", { method, ...(hasBody ? { body: "a body" } : {}) });
      expect(got.status).toBe(201);
      expect(got.headers).toMatchObject({ "x-method": method, "x-twice": "1, 2" });
      const text = `got ${hasBody ? "a body" : ""}`;
      expect(got.text).toBe(method === "HEAD" ? "" : text);
    },
  );

  it("of any size pass both ways at once, unchanged", async () => {
    stage.answer = (asked, response) => void asked.pipe(response);
    const body = randomBytes(20_000_000);
    const sent = stage.begin("POST");
    sent.end(body);
    const got = await buffer(await answerOf(sent));
    const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
    expect(hash(got)).toBe(hash(body));
  });

  it("that the app answers without reading them are taken to their end", async () => {
    stage.answer = (_asked, response) => void response.end("no");
    const viewer = connect(Number(new URL(stage.server.url).port), "127.0.0.1");
    onTestFinished(() => void viewer.destroy());
    const bytes = 50_000_000;
    const fields = [
      "POST / HTTP/1.1",
      `Host: ${stage.host}`,
      `Coder-Session-Token: ${stage.headers["Coder-Session-Token"]}`,
      `Content-Length: ${bytes}`,
    ];
    // A browser reads no response before it has sent everything.
    viewer.write(`${fields.join("\r\n")}\r\n\r\n`);
    await new Promise((resolve) => viewer.write(Buffer.alloc(bytes), resolve));
    const [got] = await once(viewer, "data");
    expect(String(got)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  });

  it("come as they are sent, in either direction", async () => {
    const arrived: string[] = [];
    stage.answer = (asked, response) => {
      response.write("first ");
      asked.on("data", (chunk: Buffer) => {
        arrived.push(chunk.toString());
        response.write(`${chunk.toString()} `);
      });
      asked.on("end", () => response.end("last"));
    };
    const sent = stage.begin("POST");
    sent.setHeader("Transfer-Encoding", "chunked");
    sent.write("one");
    const response = await answerOf(sent);
    let got = "";
    response.on("data", (chunk: Buffer) => (got += chunk.toString()));
    await vi.waitFor(() => expect(got).toBe("first one "));
    sent.write("two");
    await vi.waitFor(() => expect(arrived).toEqual(["one", "two"]));
    sent.end();
    await once(response, "end");
    expect(got).toBe("first one two last");
  });

  it("end with their trailers for a client that wants them", async () => {
    stage.answer = (_asked, response) => {
      response.write("a");
      response.addTrailers([
        ["X-Sum", "1"],
        ["Set-Cookie", "coder_session_token=x"],
        ["X-Sum", "2"],
      ]);
      response.end("b");
    };
    const trailersFor = async (wanted: Record<string, string>): Promise<readonly string[]> => {
      const { port } = new URL(stage.server.url);
      const fields = { Host: stage.host, ...stage.headers, ...wanted };
      const sent = request({ host: "127.0.0.1", port, agent: false, headers: fields }).end();
      const got = await answerOf(sent);
      expect((await buffer(got)).toString()).toBe("ab");
      return got.rawTrailers;
    };
    const wanted = await trailersFor({ TE: "gzip;q=0.5, Trailers", Connection: "TE" });
    expect(wanted).toEqual(["X-Sum", "1", "X-Sum", "2"]);
    expect(stage.app.requests.at(-1)?.headers).toMatchObject({ te: "trailers", connection: "TE" });
    expect(await trailersFor({})).toEqual([]);
    expect(stage.app.requests.at(-1)?.headers).not.toHaveProperty("te");
  });

  it("wait for the app to want them", async () => {
    stage.answer = (asked, response) => void asked.pipe(response);
    const { port } = new URL(stage.server.url);
    const expecting = request({
      host: "127.0.0.1",
      port,
      method: "PUT",
      agent: false,
      headers: { Host: stage.host, ...stage.headers, Expect: "100-continue", "Content-Length": 4 },
    });
    expecting.flushHeaders();
    await once(expecting, "continue");
    expecting.end("body");
    expect((await buffer(await answerOf(expecting))).toString()).toBe("body");
    expect(stage.app.requests.at(-1)?.headers["expect"]).toBe("100-continue");
  });

  it("fill no memory of the server when the viewer does not read", async () => {
    let written = 0;
    stage.answer = (_asked, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536))) written += 65_536;
        written += 65_536;
        response.once("drain", more);
      };
      more();
    };
    const sent = stage.begin("GET");
    sent.end();
    const response = await answerOf(sent);
    response.pause();
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = written === before;
          before = written;
          return isStill;
        },
        { interval: 300, timeout: 20_000 },
      )
      .toBe(true);
    expect(written).toBeLessThan(64 * 1024 * 1024);
    sent.destroy();
  });
});

it.each(["GET", "POST"])(
  "passes on the bytes of the header of a %s and its answer",
  async (method) => {
    // "é" is two bytes in UTF-8, as sent by programs that are unaware of characters.
    const name = Buffer.from("café").toString("latin1");
    stage.answer = (_asked, response) => {
      response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
      response.end();
    };
    const sent = stage.begin(method);
    sent.setHeader("Cookie", `user=${name}`);
    sent.end(method === "GET" ? undefined : Buffer.from("body"));
    const got = await answerOf(sent);
    expect(stage.app.requests.at(-1)?.headers.cookie).toBe(`user=${name}`);
    expect(got.headers["content-disposition"]).toBe(`attachment; filename="${name}"`);
  },
);

it("passes on events as they happen", async () => {
  let send: (text: string) => void = () => undefined;
  stage.answer = (_asked, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.flushHeaders();
    send = (text) => void response.write(`data: ${text}\n\n`);
  };
  const sent = stage.begin("GET");
  sent.end();
  const response = await answerOf(sent);
  let got = "";
  response.on("data", (chunk: Buffer) => (got += chunk.toString()));
  send("one");
  await vi.waitFor(() => expect(got).toBe("data: one\n\n"));
  send("two");
  await vi.waitFor(() => expect(got).toBe("data: one\n\ndata: two\n\n"));
});

describe("WebSockets", () => {
  it("carry messages both ways, and end on both sides", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${new URL(stage.server.url).port}/socket?x=y`, {
      headers: { Host: stage.host, ...stage.headers },
    });
    await once(socket, "open");
    const big = randomBytes(1_000_000);
    socket.send("text");
    expect(String((await once(socket, "message"))[0])).toBe("text");
    socket.send(big);
    const [echo] = await once(socket, "message");
    expect(Buffer.compare(echo, big)).toBe(0);
    expect(stage.app.requests.at(-1)).toMatchObject({ url: "/socket?x=y" });
    expect(stage.app.requests.at(-1)?.rawHeaders).toContain("Sec-WebSocket-Key");
    await expect.poll(() => stage.metric("slipway_app_requests_open")).toBe(1);
    socket.close(1000);
    await once(socket, "close");
    await expect.poll(() => stage.metric("slipway_app_requests_open")).toBe(0);
  });

  it("end with their server", async () => {
    const replica = await openReplica(stage.server, appSettings);
    const socket = new WebSocket(replica.url.replace("http", "ws"), {
      headers: { Host: stage.host, ...stage.headers },
    });
    await once(socket, "open");
    const ended = once(socket, "close");
    await replica[Symbol.asyncDispose]();
    await ended;
  });

  it("to a protocol that nobody asked for end with an error page", async () => {
    const other = await stage.openPort((socket) => {
      socket.once("data", () => {
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\n",
        );
      });
    });
    const asked = { Host: other, Connection: "Upgrade", Upgrade: "websocket, WebSocket/2" };
    const page = await ask(stage.server.url, "/", { headers: { ...stage.headers, ...asked } });
    expect(page.status).toBe(502);
    expect(page.text).toContain("<code>malformed: ");
  });

  it("that the app refuses are refused with its answer", async () => {
    const refusing = await stage.openPort((socket) => {
      socket.once("data", () => {
        socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Own: 1\r\n\r\nnope");
      });
    });
    const socket = new WebSocket(`ws://127.0.0.1:${new URL(stage.server.url).port}/`, {
      headers: { Host: refusing, ...stage.headers },
    });
    socket.on("error", () => undefined);
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(403);
    expect((await buffer(response)).toString()).toBe("nope");
  });
});
