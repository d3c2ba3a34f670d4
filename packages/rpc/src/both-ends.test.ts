import { abortable, whenAborted } from "@slipway/runtime";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { parseMessage } from "@slipway/wire/protobuf/message";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { openSession, type Session } from "../tests/support/ends.ts";
import { RpcError } from "./errors.ts";
import { duplex, type RpcEntry, serverStream, unary } from "./handler.ts";
import type { ResponderSession } from "./responder.ts";

/* A caller and a responder on the two ends of one socket. */

type Entry = RpcEntry<ResponderSession>;
const { getManifest, updateStartup, updateStats } = Agent.method;
const { coordinate, streamDERPMaps } = Tailnet.method;
const never = new AbortController().signal;

/** Responds with the received version and an exclamation mark. */
const echo: Entry = unary(
  updateStartup,
  (bytes) => parseMessage(updateStartup.input, bytes),
  async (_session, { startup }) => ({ version: `${startup?.version}!` }),
);

/** Streams this many maps, each with a name of this many characters. */
function maps(count: number, characters: number): Entry {
  return serverStream(
    streamDERPMaps,
    () => undefined,
    async function* () {
      for (let number = 0; number < count; number += 1) {
        yield { regions: { 1: { regionName: "m".repeat(characters) } } };
      }
    },
  );
}

/** Responds to each request with the requested id. */
const heard: Entry = duplex(
  coordinate,
  (bytes) => parseMessage(coordinate.input, bytes),
  async function* (_session, requests) {
    for await (const { addTunnel } of requests) yield { error: `heard ${addTunnel?.id.join(".")}` };
  },
);

/** An RPC that waits until its caller has left. */
class Waiting {
  readonly started = Promise.withResolvers<void>();
  readonly left = Promise.withResolvers<unknown>();
  readonly entry: Entry = serverStream(
    streamDERPMaps,
    () => undefined,
    (_session, _request, signal) => this.#wait(signal),
  );

  async *#wait(signal: AbortSignal): AsyncGenerator<object> {
    this.started.resolve();
    await whenAborted(signal);
    this.left.resolve(signal.reason);
    yield {};
  }
}

/** Reads requests once it may start, and finally responds with their number. */
class Gathering {
  readonly start = Promise.withResolvers<void>();
  readonly entry: Entry = duplex(
    coordinate,
    (bytes) => parseMessage(coordinate.input, bytes),
    (_session, requests, signal) => this.#gather(requests, signal),
  );

  async *#gather(requests: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<object> {
    await abortable(this.start.promise, signal);
    let count = 0;
    for await (const _ of requests) count += 1;
    yield { error: `${count} requests` };
  }
}

function open(...entries: readonly Entry[]): Session {
  const session = openSession(new Map(entries));
  onTestFinished(() => session.caller.close());
  return session;
}

async function* tunnels(...ids: readonly number[]): AsyncGenerator<object> {
  for (const id of ids) yield { addTunnel: { id: Uint8Array.of(id) } };
}

describe("a session", () => {
  it("serves calls of every shape at once, each its own", async () => {
    const { caller } = open(echo, maps(3, 1), heard);
    const [versions, names, answers] = await Promise.all([
      Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const startup = { version: `v${index}` };
          return (await caller.unary(updateStartup, { startup }, never)).version;
        }),
      ),
      Array.fromAsync(caller.serverStream(streamDERPMaps, {}, never)),
      Array.fromAsync(caller.duplex(coordinate, tunnels(1, 2), never)),
    ]);
    expect(versions).toEqual(Array.from({ length: 50 }, (_, index) => `v${index}!`));
    expect(names.map((map) => map.regions[1]?.regionName)).toEqual(["m", "m", "m"]);
    expect(answers.map(({ error }) => error)).toEqual(["heard 1", "heard 2"]);
  });

  it("answers each of several calls by one message, and ends their streams without the next call", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { caller, sockets } = open(echo);
    const send = vi.spyOn(sockets.responder.raw, "send");
    for (const version of ["v1", "v2", "v3"])
      await caller.unary(updateStartup, { startup: { version } }, never);
    expect(send).toHaveBeenCalledTimes(3);
    // The end of the last call arrives in a later turn.
    await vi.waitFor(
      () => {
        vi.advanceTimersByTime(50);
        expect(send).toHaveBeenCalledTimes(4);
      },
      { timeout: 10_000 },
    );
  });

  it("throws to the caller what the handler throws, with its code", async () => {
    const refusing = unary(
      updateStats,
      () => undefined,
      async () => {
        throw new RpcError("not today", 7);
      },
    );
    const { caller } = open(refusing);
    const refused = caller.unary(updateStats, {}, never);
    await expect(refused).rejects.toThrow(RpcError);
    await expect(refused).rejects.toMatchObject({ message: "not today", rpcCode: 7 });
  });

  it("tells the caller that an RPC is unknown", async () => {
    const { caller } = open(echo);
    await expect(caller.unary(getManifest, {}, never)).rejects.toMatchObject({
      name: "RpcError",
      rpcCode: drpcCodeUnimplemented,
    });
  });

  it("cancels the handler of a call whose signal is aborted, and goes on with others", async () => {
    const waiting = new Waiting();
    const { caller } = open(waiting.entry, echo);
    const controller = new AbortController();
    const call = Array.fromAsync(caller.serverStream(streamDERPMaps, {}, controller.signal));
    const outcome = call.catch((error: unknown) => error);
    await waiting.started.promise;
    controller.abort(new Error("enough"));
    expect(await outcome).toBe(controller.signal.reason);
    expect(await waiting.left.promise).toMatchObject({ message: "caller is gone" });
    const { version } = await caller.unary(updateStartup, { startup: { version: "v1" } }, never);
    expect(version).toBe("v1!");
  });

  it("ends the handler of a call whose request is malformed, or whose answer cannot be encoded", async () => {
    let ended = 0;
    const odd = {
      get error(): string {
        throw new Error("no such answer");
      },
    };
    const strict: Entry = duplex(
      coordinate,
      (bytes) => {
        if (bytes.length === 0) throw new RpcError("empty request", 3);
        return bytes.length;
      },
      async function* (_session, requests) {
        try {
          for await (const _ of requests) yield odd;
        } finally {
          ended += 1;
        }
      },
    );
    const { caller } = open(strict);
    const call = (requests: AsyncGenerator<object>) =>
      Array.fromAsync(caller.duplex(coordinate, requests, never));
    const empty = (async function* () {
      yield {};
    })();
    await expect(call(empty)).rejects.toThrow("empty request");
    await expect.poll(() => ended).toBe(1);
    await expect(call(tunnels(1))).rejects.toThrow("no such answer");
    await expect.poll(() => ended).toBe(2);
  });

  it("outlives a call whose requests go on after its end", async () => {
    const { caller } = open(heard, echo);
    const more = Promise.withResolvers<void>();
    const requests = (async function* () {
      yield* tunnels(1);
      await more.promise;
      yield* tunnels(2);
    })();
    for await (const { error } of caller.duplex(coordinate, requests, never)) {
      expect(error).toBe("heard 1");
      break;
    }
    more.resolve();
    const { version } = await caller.unary(updateStartup, { startup: { version: "v1" } }, never);
    expect(version).toBe("v1!");
  });

  it("carries more than any window or buffer holds", async () => {
    const { caller } = open(maps(40, 1024 * 1024));
    let characters = 0;
    for await (const map of caller.serverStream(streamDERPMaps, {}, never)) {
      characters += map.regions[1]?.regionName.length ?? 0;
    }
    expect(characters).toBe(40 * 1024 * 1024);
  });

  it("lets a caller wait that sends more than the handler takes", async () => {
    const taking = new Gathering();
    const { caller } = open(taking.entry, echo);
    const requests = (async function* () {
      for (let count = 0; count < 20_000; count += 1)
        yield { addTunnel: { id: new Uint8Array(16) } };
    })();
    const answers = Array.fromAsync(caller.duplex(coordinate, requests, never));
    // The other response comes after everything that could be sent before it.
    await caller.unary(updateStartup, { startup: { version: "v1" } }, never);
    taking.start.resolve();
    expect((await answers).map(({ error }) => error)).toEqual(["20000 requests"]);
  });

  it("cuts off a call with too many messages that nobody takes, and lives on", async () => {
    const { caller } = open(new Gathering().entry, echo);
    const requests = (async function* () {
      for (let count = 0; count < 17_000; count += 1) yield {};
    })();
    const answers = Array.fromAsync(caller.duplex(coordinate, requests, never));
    await expect(answers).rejects.toThrow("call was cut off");
    const { version } = await caller.unary(updateStartup, { startup: { version: "v1" } }, never);
    expect(version).toBe("v1!");
  });

  it("stays open while nobody calls, as each end answers the other's keep-alive", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { caller, clock, sockets } = open(echo);
    for (let second = 0; second < 300; second += 1) {
      await clock.advance(1_000);
      vi.advanceTimersByTime(1_000);
    }
    expect(sockets.caller.signal.aborted).toBe(false);
    const { version } = await caller.unary(updateStartup, { startup: { version: "v1" } }, never);
    expect(version).toBe("v1!");
  });

  it("tells the responder when the caller answers its ping", async () => {
    const { responder } = open();
    await new Promise<void>((resolve) => {
      responder.ping(resolve);
    });
  });

  it.each(["caller", "responder"] as const)(
    "ends every call at both ends when the %s closes it",
    async (side) => {
      const waiting = new Waiting();
      const { caller, responder, sockets } = open(waiting.entry);
      const call = Array.fromAsync(caller.serverStream(streamDERPMaps, {}, never));
      const outcome = call.catch((error: unknown) => error);
      await waiting.started.promise;
      if (side === "caller") await caller.close();
      else responder.close("build is outdated");
      expect(await outcome).toMatchObject({ name: "SessionClosedError" });
      await waiting.left.promise;
      expect([await caller.closed, await responder.ended]).toEqual(
        side === "caller"
          ? ["closed by this side", "socket closed with 1000"]
          : ["socket closed with 1000", "build is outdated"],
      );
      expect(sockets[side].closeCode).toBe(1000);
      await expect(caller.unary(getManifest, {}, never)).rejects.toMatchObject({
        name: "SessionClosedError",
      });
    },
  );

  it("answers no call that arrives after its end", async () => {
    let calls = 0;
    const counting = unary(
      updateStats,
      () => undefined,
      async () => {
        calls += 1;
        return {};
      },
    );
    const { caller, responder, sockets } = open(counting);
    const call = caller.unary(updateStats, {}, never).catch((error: unknown) => error);
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    expect(sockets.caller.bufferedAmount).toBeGreaterThan(0);
    responder.close("build is outdated");
    expect(await call).toMatchObject({ name: "SessionClosedError" });
    expect(sockets.caller.bufferedAmount).toBe(0);
    expect(calls).toBe(0);
  });
});
