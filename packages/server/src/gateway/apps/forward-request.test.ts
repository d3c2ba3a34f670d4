import { once } from "node:events";
import {
  Agent,
  type AgentOptions,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  ServerResponse,
} from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

import { openLocalServer } from "@slipway/testkit";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { forwardRequest } from "./forward-request.ts";

afterEach(() => vi.useRealTimers());

async function open(listener: RequestListener): Promise<number> {
  const { port, ...server } = await openLocalServer(createServer(listener));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return port;
}

/** Connects on demand. */
class SlowAgent extends Agent {
  readonly dialed = Promise.withResolvers<() => void>();
  readonly #port: number;

  constructor(port: number, options: AgentOptions = {}) {
    super(options);
    this.#port = port;
  }

  override createConnection(
    _options: object,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.dialed.resolve(() => done?.(null, connect(this.#port, "127.0.0.1")));
  }
}

describe("the time for an answer", () => {
  it("begins when the app is connected to", async () => {
    const agent = new SlowAgent(await open((_asked, response) => void response.end("x")));
    const viewed = Promise.withResolvers<readonly [IncomingMessage, ServerResponse]>();
    const viewer = request({ port: await open((...pair) => viewed.resolve(pair)) }).end();
    const [asked, response] = await viewed.promise;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const forwarded = { request: asked, response, path: "/", headers: ["Host", "x"], agent };
    const answer = forwardRequest({ ...forwarded, isUpgrade: false, timeoutMs: 1_000 });
    const dial = await agent.dialed.promise;
    await vi.advanceTimersByTimeAsync(10_000);
    dial();
    expect(await answer).toMatchObject({ type: "response", response: { statusCode: 200 } });
    response.end();
    await once(viewer, "response");
  });
});

it("keeps no connection on which fewer bytes than announced were written", async () => {
  const closed = Promise.withResolvers<void>();
  // It does not end connections by itself.
  const app = createServer({ keepAliveTimeout: 0 }, (_asked, response) => void response.end("x"));
  app.once("connection", (socket) => socket.once("close", closed.resolve));
  const { port: appPort, ...appServer } = await openLocalServer(app);
  onTestFinished(() => appServer[Symbol.asyncDispose]());
  // Node.js drops the body of a request that it treats as an upgrade.
  const viewed = Promise.withResolvers<IncomingMessage>();
  const server = createServer().on("upgrade", (asked) => viewed.resolve(asked));
  const { port, ...viewedServer } = await openLocalServer(server);
  onTestFinished(() => viewedServer[Symbol.asyncDispose]());
  const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Content-Length": 40 };
  const viewer = request({ port, headers: upgrade }).end("x".repeat(40));
  viewer.on("error", () => undefined);
  onTestFinished(() => void viewer.destroy());
  const asked = await viewed.promise;
  const agent = new SlowAgent(appPort, { keepAlive: true });
  void agent.dialed.promise.then((dial) => dial());
  const answer = await forwardRequest({
    request: asked,
    response: new ServerResponse(asked),
    path: "/",
    headers: ["Host", "x", "Content-Length", "40"],
    isUpgrade: false,
    agent,
    timeoutMs: 60_000,
  });
  answer.response.resume();
  await closed.promise;
});
