import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";

import { makeWorkspace, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";

import { type Answered, type AppServer, ask, type Asked, openApp } from "./support/app-world.ts";
import { appsTemplate } from "./support/apps-template.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { sendRaw } from "./support/raw-socket.ts";

/* What passes between a viewer and an app: streams both ways, upgrades, and apps that misbehave. */

const maxPerUser = 8;
const secret = { SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex") };
const opened = new AsyncDisposableStack();
let server: OpenServer;
let app: AppServer;
let host = "";
let headers: Record<string, string> = {};
/** Answers the next requests to the app. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  app = opened.use(await openApp((asked, response) => answer(asked, response)));
  server = opened.use(
    await openServer(inject("postgresUrl"), {
      ...secret,
      SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test",
      SLIPWAY_MAX_APP_ANSWER_SECONDS: "2",
      SLIPWAY_MAX_APP_CONNECTIONS_PER_USER: String(maxPerUser),
    }),
  );
  const template = appsTemplate("process", {
    web: `{ url: "http://localhost:${app.port}", subdomain: true }`,
  });
  const templateId = await pushTemplate(server.admin, "apps", template);
  await makeWorkspace(server.admin, "dev", templateId, ({ status }) => status === "connected");
  host = `web--dev--admin.apps.test:${new URL(server.url).port}`;
  headers = { "Coder-Session-Token": server.admin.headers["Coder-Session-Token"] ?? "" };
  answer = (_request, response) => response.end("hello");
  // The first connection waits for the agent.
  expect((await askApp("/")).text).toBe("hello");
});

afterAll(() => opened.disposeAsync());

function askApp(path: string, asked: Asked = {}): Promise<Answered> {
  return ask(server.url, path, { host, ...asked, headers: { ...headers, ...asked.headers } });
}

/** Begins a request to the app. */
function begin(method: string, path = "/"): ReturnType<typeof request> {
  const { port } = new URL(server.url);
  const sent = request({
    host: "127.0.0.1",
    port,
    method,
    path,
    agent: false,
    headers: { Host: host, ...headers },
  });
  sent.on("error", () => undefined);
  onTestFinished(() => void sent.destroy());
  return sent;
}

async function answerOf(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [response] = await once(sent, "response");
  return response;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

/** Opens a port whose server does as `serve` says with each connection; resolves to the host of that port. */
async function openPort(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const listener = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = listener.address() as AddressInfo;
  return `${port}--main--dev--admin.apps.test:${new URL(server.url).port}`;
}

describe("bodies", () => {
  it.each(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])(
    "of %s requests arrive, and their answers",
    async (method) => {
      answer = (asked, response) => {
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
      const got = await askApp("/x", { method, ...(hasBody ? { body: "a body" } : {}) });
      expect(got.status).toBe(201);
      expect(got.headers).toMatchObject({ "x-method": method, "x-twice": "1, 2" });
      const text = `got ${hasBody ? "a body" : ""}`;
      expect(got.text).toBe(method === "HEAD" ? "" : text);
    },
  );

  it("of any size pass both ways at once, unchanged", async () => {
    answer = (asked, response) => void asked.pipe(response);
    const body = randomBytes(20_000_000);
    const sent = begin("POST");
    sent.end(body);
    const got = await buffer(await answerOf(sent));
    const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
    expect(hash(got)).toBe(hash(body));
  });

  it("come as they are sent, in either direction", async () => {
    const arrived: string[] = [];
    answer = (asked, response) => {
      response.write("first ");
      asked.on("data", (chunk: Buffer) => {
        arrived.push(chunk.toString());
        response.write(`${chunk.toString()} `);
      });
      asked.on("end", () => response.end("last"));
    };
    const sent = begin("POST");
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
    answer = (_asked, response) => {
      response.write("a");
      response.addTrailers([
        ["X-Sum", "1"],
        ["Set-Cookie", "coder_session_token=x"],
        ["X-Sum", "2"],
      ]);
      response.end("b");
    };
    const trailersFor = async (wanted: Record<string, string>): Promise<readonly string[]> => {
      const { port } = new URL(server.url);
      const fields = { Host: host, ...headers, ...wanted };
      const sent = request({ host: "127.0.0.1", port, agent: false, headers: fields }).end();
      const got = await answerOf(sent);
      expect((await buffer(got)).toString()).toBe("ab");
      return got.rawTrailers;
    };
    const wanted = await trailersFor({ TE: "gzip;q=0.5, Trailers", Connection: "TE" });
    expect(wanted).toEqual(["X-Sum", "1", "X-Sum", "2"]);
    expect(app.requests.at(-1)?.headers).toMatchObject({ te: "trailers", connection: "TE" });
    expect(await trailersFor({})).toEqual([]);
    expect(app.requests.at(-1)?.headers).not.toHaveProperty("te");
  });

  it("wait for the app to want them", async () => {
    answer = (asked, response) => void asked.pipe(response);
    const { port } = new URL(server.url);
    const expecting = request({
      host: "127.0.0.1",
      port,
      method: "PUT",
      agent: false,
      headers: { Host: host, ...headers, Expect: "100-continue", "Content-Length": 4 },
    });
    expecting.flushHeaders();
    await once(expecting, "continue");
    expecting.end("body");
    expect((await buffer(await answerOf(expecting))).toString()).toBe("body");
    expect(app.requests.at(-1)?.headers["expect"]).toBe("100-continue");
  });

  it("fill no memory of the server when the viewer does not read", async () => {
    let written = 0;
    answer = (_asked, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536))) written += 65_536;
        written += 65_536;
        response.once("drain", more);
      };
      more();
    };
    const sent = begin("GET");
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

it("passes on events as they happen", async () => {
  let send: (text: string) => void = () => undefined;
  answer = (_asked, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.flushHeaders();
    send = (text) => void response.write(`data: ${text}\n\n`);
  };
  const sent = begin("GET");
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
    const socket = new WebSocket(`ws://127.0.0.1:${new URL(server.url).port}/socket?x=y`, {
      headers: { Host: host, ...headers },
    });
    await once(socket, "open");
    const big = randomBytes(1_000_000);
    socket.send("text");
    expect(String((await once(socket, "message"))[0])).toBe("text");
    socket.send(big);
    const [echo] = await once(socket, "message");
    expect(Buffer.compare(echo, big)).toBe(0);
    expect(app.requests.at(-1)).toMatchObject({ url: "/socket?x=y" });
    expect(app.requests.at(-1)?.rawHeaders).toContain("Sec-WebSocket-Key");
    expect(await metric("slipway_app_requests_open")).toBe(1);
    socket.close(1000);
    await once(socket, "close");
    await expect.poll(() => metric("slipway_app_requests_open")).toBe(0);
  });

  it("end with their server", async () => {
    const replica = await openReplica(server, {
      ...secret,
      SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test",
    });
    const socket = new WebSocket(replica.url.replace("http", "ws"), {
      headers: { Host: host, ...headers },
    });
    await once(socket, "open");
    const ended = once(socket, "close");
    await replica[Symbol.asyncDispose]();
    await ended;
  });

  it("to a protocol that nobody asked for end with an error page", async () => {
    const other = await openPort((socket) => {
      socket.once("data", () => {
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\n",
        );
      });
    });
    const asked = { Host: other, Connection: "Upgrade", Upgrade: "websocket, WebSocket/2" };
    const page = await ask(server.url, "/", { headers: { ...headers, ...asked } });
    expect(page.status).toBe(502);
    expect(page.text).toContain("<code>malformed: ");
  });

  it("that the app refuses are refused with its answer", async () => {
    const refusing = await openPort((socket) => {
      socket.once("data", () => {
        socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Own: 1\r\n\r\nnope");
      });
    });
    const socket = new WebSocket(`ws://127.0.0.1:${new URL(server.url).port}/`, {
      headers: { Host: refusing, ...headers },
    });
    socket.on("error", () => undefined);
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(403);
    expect((await buffer(response)).toString()).toBe("nope");
  });
});

it("keeps connections for the next request, and makes new ones for those at once", async () => {
  answer = (_asked, response) => response.end("x");
  await askApp("/");
  app.connections.clear();
  for (let turn = 0; turn < 10; turn += 1) await askApp("/");
  // One that nobody used for seconds is closed.
  expect(app.connections.size).toBeLessThan(5);
  app.connections.clear();
  await Promise.all(Array.from({ length: 4 }, () => askApp("/")));
  expect(app.connections.size).toBeLessThanOrEqual(4);
});

it("leaves nothing behind on a connection that is used again", async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  answer = (_asked, response) => response.end("x");
  app.connections.clear();
  for (let turn = 0; turn < 40; turn += 1) await askApp("/");
  expect(app.connections.size).toBeLessThan(4);
  expect(warnings).toEqual([]);
});

it("tries a kept connection that the app has closed only once", async () => {
  let count = 0;
  const closing = await openPort((socket) => {
    count += 1;
    // Each connection answers once, promises to stay, and closes at the second request.
    let requests = 0;
    socket.on("data", () => {
      requests += 1;
      if (requests === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      else socket.destroy();
    });
  });
  for (let turn = 0; turn < 3; turn += 1) {
    expect(await ask(server.url, "/", { host: closing, headers })).toMatchObject({ text: "ok" });
  }
  expect(count).toBe(3);
});

it("ends a request when its viewer leaves, even one that is answered forever", async () => {
  const left = Promise.withResolvers<void>();
  answer = (_asked, response) => {
    const timer = setInterval(() => response.write("more"), 5);
    response.once("close", () => {
      clearInterval(timer);
      left.resolve();
    });
  };
  const sent = begin("GET");
  sent.end();
  await answerOf(sent);
  sent.destroy();
  await left.promise;
  await expect.poll(() => metric("slipway_app_requests_open")).toBe(0);
});

it("limits the requests of a user", async () => {
  answer = (_asked, response) => void response.write("begun");
  const held = Array.from({ length: maxPerUser }, () => {
    const sent = begin("GET");
    sent.end();
    return sent;
  });
  await Promise.all(held.map(answerOf));
  const refused = await askApp("/", { headers: { Accept: "application/json" } });
  expect(refused.status).toBe(429);
  expect(refused.text).toContain("too many connections to apps");
  for (const sent of held) sent.destroy();
  answer = (_asked, response) => response.end("again");
  await vi.waitFor(async () => expect((await askApp("/")).text).toBe("again"));
});

describe("an app that", () => {
  it.each<readonly [string, (socket: Socket) => void, number, string]>([
    ["answers nothing", () => undefined, 504, "no-answer"],
    ["ends the connection", (socket) => socket.once("data", () => socket.end()), 502, "ended"],
    [
      "resets the connection",
      (socket) => socket.once("data", () => socket.resetAndDestroy()),
      502,
      "ended",
    ],
    ["answers garbage", (socket) => socket.write("<garbage>\r\n\r\n"), 502, "malformed"],
    [
      "answers another protocol",
      (socket) => socket.write("SSH-2.0-OpenSSH_9\r\n"),
      502,
      "malformed",
    ],
    [
      "answers a gigantic header",
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(1_000_000)}\r\n\r\n`),
      502,
      "large-header",
    ],
    [
      "answers half a header, and waits",
      (socket) => socket.write("HTTP/1.1 200 OK\r\nX: "),
      504,
      "no-answer",
    ],
    [
      "answers half a header, and ends",
      (socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nX: ")),
      502,
      "ended",
    ],
    [
      "answers with two lengths",
      (socket) =>
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nabcde"),
      502,
      "malformed",
    ],
    [
      "answers with a length beside chunks",
      (socket) =>
        socket.write(
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
      502,
      "malformed",
    ],
    [
      "answers with a line break in a field",
      (socket) => socket.write("HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n"),
      502,
      "malformed",
    ],
    [
      "answers without end before its header",
      (socket) => {
        const more = (): void => {
          while (socket.write("HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000)));
          socket.once("drain", more);
        };
        more();
      },
      504,
      "no-answer",
    ],
    [
      "changes the protocol unasked",
      (socket) =>
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        ),
      502,
      "malformed",
    ],
  ])("%s gets an error page", async (_what, serve, status, reason) => {
    const asked = { host: await openPort(serve), headers: { ...headers, Accept: "text/html" } };
    const page = await ask(server.url, "/", asked);
    expect(page.status).toBe(status);
    expect(page.text).toContain(`<code>${reason}: `);
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
  });

  it("is not there gets one that names the rung", async () => {
    const page = await ask(server.url, "/", {
      host: `9999--main--dev--admin.apps.test`,
      headers: { ...headers, Accept: "application/json" },
    });
    expect(page.status).toBe(502);
    expect(JSON.parse(page.text)).toMatchObject({
      message: expect.stringContaining("nothing listens on the port"),
      detail: expect.stringMatching(/^port: /),
    });
  });

  it("ends in the middle of its answer is cut off, not completed", async () => {
    const cut = await openPort((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        setImmediate(() => socket.end());
      });
    });
    await expect(ask(server.url, "/", { host: cut, headers })).rejects.toThrow(/aborted|hang up/);
  });

  it("speaks https is reached without a name that anybody vouches for", async () => {
    const page = await ask(server.url, "/", {
      host: (await openPort((socket) => socket.write("not TLS"))).replace("--", "s--"),
      headers: { ...headers, Accept: "text/html" },
    });
    expect(page.status).toBe(502);
    expect(page.text).toContain("<code>no-tls: ");
  });
});

it.each(["GET", "POST", "DELETE"])(
  "takes nothing of the body of a %s for another request, whatever its Connection header names",
  async (method) => {
    answer = (asked, response) => void buffer(asked).then((body) => response.end(body));
    app.requests.length = 0;
    const smuggled = `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const fields = [
      `${method} / HTTP/1.1`,
      `Host: ${host}`,
      `Coder-Session-Token: ${headers["Coder-Session-Token"]}`,
      "Connection: close, Content-Length",
      `Content-Length: ${smuggled.length}`,
    ];
    const got = await sendRaw(server.url, `${fields.join("\r\n")}\r\n\r\n${smuggled}`);
    expect(got).toMatchObject({ status: 200, body: smuggled });
    await askApp("/next");
    expect(app.requests.map(({ url }) => url)).toEqual(["/", "/next"]);
  },
);

it.each([
  ["two lengths", "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"],
  ["a length beside chunks", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a bad chunk", "Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
  ["a header of 100 KB", `X: ${"x".repeat(100_000)}\r\n\r\n`],
])("refuses a request with %s, and lets nothing of it be another request", async (_what, rest) => {
  answer = (_asked, response) => response.end("x");
  app.requests.length = 0;
  const token = headers["Coder-Session-Token"];
  const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nCoder-Session-Token: ${token}\r\n`;
  const smuggled = `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const got = await sendRaw(server.url, `${head}${rest}${smuggled}`);
  expect([400, 431]).toContain(got.status);
  expect(app.requests.map(({ url }) => url)).not.toContain("/smuggled");
});
