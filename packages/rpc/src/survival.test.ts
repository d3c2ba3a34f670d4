import { setImmediate as nextTurn } from "node:timers/promises";

import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { DrpcCaller } from "@slipway/wire/drpc/caller";
import { DrpcResponder } from "@slipway/wire/drpc/responder";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import type { YamuxEvent } from "@slipway/wire/yamux/events";
import { YamuxSession } from "@slipway/wire/yamux/session";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { openCaller, openResponder } from "../tests/support/ends.ts";
import { MemorySocket } from "../tests/support/memory-socket.ts";
import type { RpcTable } from "./handler.ts";
import { responderLimits } from "./limits.ts";
import type { ResponderSession } from "./responder.ts";
import type { SocketData } from "./socket.ts";

/* Each end of a session against a peer that violates the protocol, while a call is open. */

const never = new AbortController().signal;
const mebibyte = 1024 * 1024;
const path = rpcPath(Agent.method.getManifest);
/** Calls that run concurrently, and those that take their places before their responses are written. */
const mostAsked = 2 * responderLimits.maxCallsAtOnce;

interface Scene {
  /** Resolves to the reason when the end under test has ended. */
  readonly ended: Promise<string>;
  /**
   * Resolves when the open call ends: at the caller with its outcome, at the responder when its handler is canceled.
   */
  readonly callOver: Promise<unknown>;
  readonly socket: MemorySocket;
  readonly clock: FakeClock;
  readonly peer: Peer;
  /** The valid bytes that the peer would send next on the call's stream. */
  readonly next: Uint8Array;
}

/** The peer of the end under test: yamux on its own socket, and one open call. */
class Peer {
  readonly socket: MemorySocket;
  readonly yamux: YamuxSession;
  readonly events: YamuxEvent[] = [];
  #streamId = 0;

  constructor(socket: MemorySocket, role: "client" | "server") {
    this.socket = socket;
    this.yamux = new YamuxSession(role);
    socket.on("message", (data) => {
      this.events.push(...this.yamux.receive(bytesOf(data), 0));
      this.flush();
    });
  }

  get streamId(): number {
    return this.#streamId;
  }

  /** Opens the stream of the call. */
  open(): void {
    this.#streamId = this.yamux.open(0);
  }

  /** Waits for the call of the end under test. */
  async accept(): Promise<void> {
    await until(() => this.events.some(({ type }) => type === "opened"));
    for (const event of this.events) if (event.type === "opened") this.#streamId = event.streamId;
  }

  write(bytes: Uint8Array): void {
    this.yamux.write(this.#streamId, bytes);
    this.flush();
  }

  flush(): void {
    const output = this.yamux.takeOutput();
    if (output !== undefined) this.socket.send(output);
  }

  /** Returns the frames of bytes on the call's stream, unsent. */
  frame(bytes: Uint8Array): Uint8Array {
    this.yamux.write(this.#streamId, bytes);
    return this.yamux.takeOutput() ?? new Uint8Array();
  }

  /** Resolves when the end under test has answered a ping. */
  async pingPong(): Promise<void> {
    const id = this.yamux.ping(0);
    this.flush();
    await until(() => this.events.some((event) => event.type === "pong" && event.id === id));
  }
}

/** Waits for pending work of the two ends, which takes a few turns. */
async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await nextTurn();
}

function bytesOf(data: SocketData): Uint8Array {
  if (data instanceof Uint8Array) return data;
  throw new TypeError("wanted bytes in one piece");
}

async function openCallerScene(): Promise<Scene> {
  const clock = createFakeClock(0);
  const [socket, far] = MemorySocket.pair();
  const caller = openCaller(socket, clock);
  const peer = new Peer(far, "server");
  const call = caller.unary(Agent.method.getManifest, {}, never);
  const callOver = call.catch((error: unknown) => error);
  await peer.accept();
  const responder = new DrpcResponder();
  responder.receive(new DrpcCaller().invoke(path));
  const next = responder.message(new Uint8Array(8));
  return { ended: caller.closed, callOver, socket, clock, peer, next };
}

async function openResponderScene(): Promise<Scene> {
  const clock = createFakeClock(0);
  const [socket, far] = MemorySocket.pair();
  const isCalled = Promise.withResolvers<void>();
  const isOver = Promise.withResolvers<unknown>();
  const rpcs: RpcTable<ResponderSession> = {
    get: () => ({
      kind: "duplex",
      async *answer(_session, _requests, signal) {
        isCalled.resolve();
        yield await new Promise<Uint8Array>((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            isOver.resolve(signal.reason);
            reject(signal.reason);
          });
        });
      },
    }),
  };
  const responder = openResponder(socket, rpcs, clock);
  const peer = new Peer(far, "client");
  const caller = new DrpcCaller();
  peer.open();
  peer.write(caller.invoke(path));
  await isCalled.promise;
  const next = caller.message(new Uint8Array(8));
  return { ended: responder.ended, callOver: isOver.promise, socket, clock, peer, next };
}

describe.each([
  ["caller", openCallerScene, 1000],
  ["responder", openResponderScene, 1003],
] as const)("a %s", (_name, open, textCode) => {
  it("waits for the rest of a frame, and gives its call up when the connection is lost", async () => {
    const { next } = await open();
    for (let cut = 1; cut < next.length + 12; cut += 1) {
      const { peer, ended, callOver, socket } = await open();
      peer.socket.send(peer.frame(next).subarray(0, cut));
      await until(() => peer.socket.bufferedAmount === 0);
      expect(socket.signal.aborted).toBe(false);
      peer.socket.terminate();
      expect(await ended).toBe("socket closed with 1006");
      await callOver;
    }
  });

  it("gives a call up whose stream ends in a packet, and lives on", async () => {
    const { peer, next, callOver, socket } = await open();
    peer.write(next.subarray(0, -1));
    peer.yamux.finish(peer.streamId);
    peer.flush();
    await callOver;
    await peer.pingPong();
    expect(socket.signal.aborted).toBe(false);
  });

  it("cuts a call off whose stream carries no DRPC, and lives on", async () => {
    const { peer, callOver } = await open();
    peer.write(new Uint8Array(64).fill(0xff));
    await callOver;
    await until(() => peer.events.some(({ type }) => type === "reset"));
    await peer.pingPong();
  });

  it("ends the session at bytes that are no yamux", async () => {
    const { peer, ended, callOver, socket } = await open();
    peer.socket.send(new Uint8Array(64).fill(0xff));
    expect(await ended).toBe("yamux version 255, wanted 0");
    await callOver;
    expect(socket.closeCode).toBe(1000);
  });

  it("ends the session at a text message, with its own code", async () => {
    const { peer, ended, callOver, socket } = await open();
    peer.socket.sendText("hello");
    expect(await ended).toContain("text message");
    await callOver;
    expect(socket.closeCode).toBe(textCode);
  });

  it("survives any bytes, beneath yamux and beneath DRPC", async () => {
    const message = fc.record({
      isFramed: fc.boolean(),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 8 }), async (messages) => {
        const { peer, ended, callOver } = await open();
        for (const { isFramed, bytes } of messages) {
          peer.socket.send(isFramed ? peer.frame(bytes) : bytes);
        }
        await until(() => peer.socket.bufferedAmount === 0 || peer.socket.signal.aborted);
        peer.socket.terminate();
        await Promise.all([ended, callOver]);
      }),
      { numRuns: 50 },
    );
  });

  it("gives its call up when the peer closes in the middle of it", async () => {
    const { peer, ended, callOver } = await open();
    peer.socket.close(1000);
    expect(await ended).toBe("socket closed with 1000");
    await callOver;
  });

  it("ends the session with a peer that answers no keep-alive", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { peer, ended, callOver, socket, clock } = await open();
    peer.socket.pause();
    const seconds = async (count: number): Promise<void> => {
      for (let second = 0; second < count; second += 1) {
        await clock.advance(1_000);
        vi.advanceTimersByTime(1_000);
      }
    };
    await seconds(38);
    expect(socket.signal.aborted).toBe(false);
    await seconds(4);
    expect(await ended).toContain("no pong");
    await callOver;
    expect(socket.closeCode).toBe(1000);
  });
});

it("a caller ignores a stream that its peer opens, and lives on", async () => {
  const { peer, socket } = await openCallerScene();
  const other = peer.yamux.open(0);
  peer.yamux.write(other, new Uint8Array([1, 2, 3]));
  peer.flush();
  await peer.pingPong();
  expect(socket.signal.aborted).toBe(false);
});

describe("a peer that never reads", () => {
  it("makes a caller end the session, and nothing more is sent", async () => {
    const [socket, far] = MemorySocket.pair();
    const caller = openCaller(socket, createFakeClock(0));
    let sent = 0;
    const requests = (async function* () {
      for (;;) {
        sent += 1;
        yield { readyForHandshake: [{ id: new Uint8Array(mebibyte) }] };
        await nextTurn();
      }
    })();
    const answers = Array.fromAsync(caller.duplex(Tailnet.method.coordinate, requests, never));
    const outcome = answers.catch((error: unknown) => error);
    // Unlimited credit for the first stream, granted by a peer that then stops reading.
    far.send(Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 1, 0x40, 0, 0, 0));
    expect(await caller.closed).toBe("peer does not read");
    expect(await outcome).toMatchObject({ name: "SessionClosedError" });
    expect(sent).toBeLessThan(20);
    expect(socket.bufferedAmount).toBeLessThan(18 * mebibyte);
    expect(socket.closeCode).toBe(1000);
  });

  it("makes a responder answer no more, read no more, and end the session after a minute", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const clock = createFakeClock(0);
    const [socket, far] = MemorySocket.pair();
    let asked = 0;
    const rpcs: RpcTable<ResponderSession> = {
      get: () => ({
        kind: "unary",
        answer: async () => {
          asked += 1;
          return new Uint8Array(mebibyte);
        },
      }),
    };
    const responder = openResponder(socket, rpcs, clock);
    const yamux = new YamuxSession("client");
    for (let call = 0; call < 100; call += 1) {
      const stream = yamux.open(0);
      const caller = new DrpcCaller();
      yamux.write(stream, caller.invoke(path));
      yamux.write(stream, caller.message(new Uint8Array()));
    }
    far.send(yamux.takeOutput() ?? new Uint8Array());
    await clock.advance(0);
    expect(socket.isPaused).toBe(true);
    expect(asked).toBeLessThanOrEqual(mostAsked);
    await clock.advance(58_000);
    vi.advanceTimersByTime(58_000);
    expect(socket.signal.aborted).toBe(false);
    await clock.advance(4_000);
    vi.advanceTimersByTime(4_000);
    expect(await responder.ended).toBe("peer does not read");
    expect(socket.closeCode).toBe(1000);
    expect(asked).toBeLessThanOrEqual(mostAsked);
    expect(vi.getTimerCount()).toBe(0);
  });
});
