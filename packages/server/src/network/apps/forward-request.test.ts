import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type ServerResponse,
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

/** Connects when it is told to. */
class SlowAgent extends Agent {
  readonly dialed = Promise.withResolvers<() => void>();
  readonly #port: number;

  constructor(port: number) {
    super();
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
    const answer = forwardRequest({ ...forwarded, timeoutMs: 1_000 });
    const dial = await agent.dialed.promise;
    await vi.advanceTimersByTimeAsync(10_000);
    dial();
    expect(await answer).toMatchObject({ type: "response", response: { statusCode: 200 } });
    response.end();
    await once(viewer, "response");
  });
});
