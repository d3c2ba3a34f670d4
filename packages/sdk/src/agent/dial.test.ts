import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer } from "node:net";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type LocalServer, openLocalServer } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";

import { dialAgent, type DialOptions } from "./dial.ts";
import { DialError, type Rung } from "./errors.ts";

async function serve(server: Parameters<typeof openLocalServer>[0]): Promise<LocalServer> {
  const opened = await openLocalServer(server);
  onTestFinished(() => opened[Symbol.asyncDispose]());
  return opened;
}

function options(serverUrl: string, more: Partial<DialOptions> = {}): DialOptions {
  return {
    serverUrl,
    token: "agent-token",
    headers: {},
    role: "agent",
    signal: new AbortController().signal,
    clock: createFakeClock(),
    logger: silentLogger,
    ...more,
  };
}

/** Resolves to the rung and the message of a failed dial. */
async function failure(serverUrl: string): Promise<Pick<DialError, "rung" | "message" | "status">> {
  const error: unknown = await dialAgent(options(serverUrl)).catch((thrown: unknown) => thrown);
  if (!(error instanceof DialError)) throw new Error("the dial did not fail as it should");
  return { rung: error.rung, message: error.message, status: error.status };
}

/** Opens a server that answers every request, including upgrades, in the same way. */
async function answering(status: number, message?: string): Promise<string> {
  const listener: RequestListener = (_request, response) =>
    response.writeHead(status).end(message === undefined ? "<html>" : JSON.stringify({ message }));
  return (await serve(createServer(listener))).url;
}

describe("dialAgent", () => {
  it("opens a session with token, role and version, and says that it stands", async () => {
    const http = createServer();
    const requests: { url: string | undefined; token: unknown; more: unknown }[] = [];
    new WebSocketServer({ server: http }).on("connection", (_socket, { url, headers }) => {
      requests.push({ url, token: headers["coder-session-token"], more: headers["x-more"] });
    });
    const { url } = await serve(http);
    const reached: Rung[] = [];
    const more = { headers: { "X-More": "1" }, onRung: (rung: Rung) => void reached.push(rung) };
    await using connection = await dialAgent(options(`${url}/base/`, more));
    expect(connection.apiVersion).toBe("2.10");
    expect(reached).toEqual(["rpc"]);
    const path = "/base/api/v2/workspaceagents/me/rpc?role=agent&version=2.10";
    expect(requests).toEqual([{ url: path, token: "agent-token", more: "1" }]);
  });

  it("steps down to the newest version that the server takes", async () => {
    const offered: (string | null)[] = [];
    const http = createServer();
    const sockets = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, socket, head) => {
      const version = new URL(request.url ?? "", "http://server").searchParams.get("version");
      offered.push(version);
      if (version === "2.8") return sockets.handleUpgrade(request, socket, head, () => undefined);
      const body = JSON.stringify({ message: "Unknown or unsupported API version" });
      return socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    const { url } = await serve(http);
    await using connection = await dialAgent(options(url));
    expect(connection.apiVersion).toBe("2.8");
    expect(offered).toEqual(["2.10", "2.9", "2.8"]);
  });

  it("fails on the rung version when the server takes none", async () => {
    const url = await answering(400, "Unknown or unsupported API version");
    expect(await failure(url)).toMatchObject({ rung: "version", status: 400 });
  });

  it("fails on the rung dns for a host that does not exist", async () => {
    const message = "cannot find the address of no-such-host.invalid";
    expect(await failure("http://no-such-host.invalid")).toMatchObject({ rung: "dns", message });
  });

  it("fails on the rung tcp where nobody listens", async () => {
    const server = await openLocalServer(createTcpServer());
    await server[Symbol.asyncDispose]();
    const message = `cannot connect to 127.0.0.1 port ${server.port}`;
    expect(await failure(server.url)).toMatchObject({ rung: "tcp", message });
  });

  it("fails on the rung tls where something else than TLS is spoken", async () => {
    const url = await answering(200);
    expect(await failure(url.replace("http:", "https:"))).toMatchObject({
      rung: "tls",
      message: "no trusted TLS connection to 127.0.0.1",
    });
  });

  it("fails on the rung http when no HTTP comes back", async () => {
    const { url, port } = await serve(createTcpServer((socket) => void socket.end()));
    const message = `no HTTP answer from 127.0.0.1 port ${port}`;
    expect(await failure(url)).toMatchObject({ rung: "http", message });
  });

  it.each([
    ["http", 404, "Route not found.", "the server answered 404: Route not found."],
    ["http", 502, undefined, "the server answered 502"],
    ["http", 400, "something else", "the server answered 400: something else"],
    ["upgrade", 200, undefined, "the server answered 200"],
    ["upgrade", 426, "needs a WebSocket", "the server answered 426: needs a WebSocket"],
    ["authentication", 401, "no such agent", "the server answered 401: no such agent"],
    ["authentication", 403, undefined, "the server answered 403"],
  ] as const)("fails on the rung %s for status %i", async (rung, status, text, message) => {
    expect(await failure(await answering(status, text))).toEqual({ rung, status, message });
  });

  it("goes by the status when the rest of the answer is lost", async () => {
    const { url } = await serve(
      createTcpServer((socket) => {
        socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{");
      }),
    );
    const message = "the server answered 401";
    expect(await failure(url)).toEqual({ rung: "authentication", status: 401, message });
  });

  it("fails on the rung upgrade when something on the way answers for the server", async () => {
    const http = createServer();
    http.on("upgrade", (_request, socket) =>
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          "Sec-WebSocket-Accept: made up\r\n\r\n",
      ),
    );
    const { url } = await serve(http);
    expect(await failure(url)).toMatchObject({ rung: "upgrade" });
  });

  it("throws the reason of its signal and leaves the server", async () => {
    const left = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const tcp = createTcpServer((socket) => {
      arrived.resolve();
      socket.on("close", () => left.resolve());
      socket.resume();
    });
    const { url } = await serve(tcp);
    const controller = new AbortController();
    const outcome = expect(dialAgent(options(url, { signal: controller.signal }))).rejects.toThrow(
      "enough",
    );
    await arrived.promise;
    controller.abort(new Error("enough"));
    await outcome;
    await left.promise;
  });
});
