import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { silentLogger, systemClock } from "@slipway/runtime";
import { describe, expect, it, onTestFinished } from "vitest";

import { listenOnLoopback } from "../../tests/support/loopback-service.ts";
import { createApiService } from "./api-service.ts";
import { baseRoutes } from "./base-routes.ts";

interface Answer {
  readonly status: number | undefined;
  readonly body: unknown;
}

interface Api {
  readonly port: number;
  readonly ask: (method: string, path: string, body?: string) => Promise<Answer>;
}

async function openApi(home = "/", ownPorts: ReadonlySet<number> = new Set()): Promise<Api> {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const service = createApiService({
    routes: baseRoutes({
      clock: systemClock,
      home,
      ownPorts,
      netcheck: async () => ({ severity: "ok" }),
    }),
    logger: silentLogger,
    signal: stopping.signal,
  });
  const port = await listenOnLoopback(service);
  return {
    port,
    ask: async (method, path, body) => {
      const sent = request({ host: "127.0.0.1", port, method, path });
      sent.end(body);
      const [response] = await once(sent, "response");
      return { status: response.statusCode, body: JSON.parse(await text(response)) };
    },
  };
}

async function listen(host: string): Promise<number> {
  const server = createServer();
  onTestFinished(() => void server.close());
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

describe("the agent's HTTP API", () => {
  it("lists the listeners of both families, but not the agent's own ports", async () => {
    const four = await listen("127.0.0.1");
    const six = await listen("::1");
    const own = await listen("127.0.0.1");
    const { ask } = await openApi("/", new Set([own]));
    const { body } = await ask("GET", "/api/v0/listening-ports");
    const listed = (port: number): object => ({
      process_name: expect.stringMatching(/./),
      network: "tcp",
      port,
    });
    expect(body).toEqual({ ports: expect.arrayContaining([listed(four), listed(six)]) });
    expect(JSON.stringify(body)).not.toContain(`:${own}}`);
  });

  it.each([
    ["GET", "/", 200],
    ["GET", "/api/v0/netcheck", 200],
    ["GET", "/api/v0/nothing", 404],
    ["OPTIONS", "*", 404],
    ["POST", "/", 404],
    ["POST", "/api/v0/list-directory", 400],
  ])("answers %s %s with %d", async (method, path, status) => {
    const { ask } = await openApi();
    expect(await ask(method, path)).toMatchObject({ status, body: expect.any(Object) });
  });

  it("lists a directory: directories first, then names", async () => {
    const home = mkdtempSync(join(tmpdir(), "slipway-api-"));
    onTestFinished(() => rmSync(home, { recursive: true }));
    mkdirSync(join(home, "src"));
    for (const name of ["b", "a"]) writeFileSync(join(home, name), "");
    const { ask } = await openApi(home);
    const list = "/api/v0/list-directory";
    const byHome = await ask("POST", list, JSON.stringify({ path: [], relativity: "home" }));
    expect(byHome.body).toMatchObject({
      absolute_path_string: home,
      contents: [
        { name: "src", is_dir: true, absolute_path_string: join(home, "src") },
        { name: "a", is_dir: false },
        { name: "b", is_dir: false },
      ],
    });
    expect((await ask("POST", `${list}?path=${home}/src`, "{}")).body).toMatchObject({
      contents: [],
    });
    expect((await ask("POST", `${list}?path=${home}/none`, "{}")).status).toBe(404);
    expect((await ask("POST", `${list}?path=src`, "{}")).status).toBe(500);
  });

  it("refuses bodies and headers beyond the limit", async () => {
    const { ask, port } = await openApi();
    const large = JSON.stringify("x".repeat(2_000_000));
    expect((await ask("POST", "/api/v0/list-directory", large)).status).toBe(413);
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => undefined);
    socket.write(`GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`);
    expect(await text(socket)).toContain("431");
  });
});
