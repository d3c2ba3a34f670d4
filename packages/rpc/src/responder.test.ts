import { once } from "node:events";

import { silentLogger, Turnstile, UnfinishedBytes } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { DrpcCaller } from "@slipway/wire/drpc/caller";
import type { YamuxEvent } from "@slipway/wire/yamux/events";
import { YamuxSession } from "@slipway/wire/yamux/session";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { lend } from "../tests/support/web-socket.ts";
import type { SharedCalls } from "./admission.ts";
import type { RpcTable } from "./handler.ts";
import { responderLimits, responderOutputLimits } from "./limits.ts";
import { Responder, type ResponderSession } from "./responder.ts";
import type { RpcSocket } from "./socket.ts";

/* A peer that sends requests and does not read, over a real socket. */

const limits = { ...responderLimits, ...responderOutputLimits };
const answerBytes = 1024 * 1024;
/** The bytes of a stream that a peer accepts without granting more credit. */
const windowBytes = 2 ** 18;
const calls = 40;
const maxCallsAtOnceOfPeer = 8;
/** The longest wait for a slow machine. */
const patience = { timeout: 20_000 };

let opened: AsyncDisposableStack;
let clock: FakeClock;
let server: RpcSocket;
let session: Responder<ResponderSession>;
let peer: WebSocket;
let yamux: YamuxSession;
let events: YamuxEvent[];
let asked = 0;
/** The waiting time of each message. */
let waitMs = 0;
/** The waiting time for charged bytes. */
let reserve: (bytes: number) => number;
/** The peer's incomplete requests, of which one and a half are allowed. */
let unfinished: UnfinishedBytes;
const unfinishedBytes = 500_000;

/** `large` is answered with 1 MiB, `slow` on demand. */
const slow = { running: 0, most: 0, end: Promise.withResolvers<void>() };
const rpcs: RpcTable<ResponderSession> = {
  get: (path) => ({
    kind: "unary",
    answer: async () => {
      asked += 1;
      if (path === "large") return new Uint8Array(answerBytes);
      slow.running += 1;
      slow.most = Math.max(slow.most, slow.running);
      await slow.end.promise;
      slow.running -= 1;
      return new Uint8Array(1);
    },
  }),
};

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  asked = 0;
  waitMs = 0;
  // Frames cost less than a message, and do not wait.
  reserve = (bytes) => (bytes < limits.minMessageCost ? 0 : waitMs);
  Object.assign(slow, { running: 0, most: 0, end: Promise.withResolvers<void>() });
  clock = createFakeClock();
  unfinished = new UnfinishedBytes({ maxBytes: 1.5 * unfinishedBytes, timeoutMs: 60_000 });
  const listener = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  opened.defer(() => listener.close());
  await once(listener, "listening");
  const isOpen = Promise.withResolvers<void>();
  listener.on("connection", (socket) => {
    server = lend(socket);
    const turnstile = new Turnstile((inside) => inside < maxCallsAtOnceOfPeer);
    const shared: SharedCalls = {
      turnstile,
      reserve: (bytes) => reserve(bytes),
      openUnfinished: (cutOff) => unfinished.open("peer", cutOff),
    };
    session = new Responder(server, rpcs, { logger: silentLogger }, { clock, shared });
    isOpen.resolve();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listener on TCP
  const { port } = listener.address() as { readonly port: number };
  peer = new WebSocket(`ws://127.0.0.1:${port}`);
  opened.defer(() => peer.terminate());
  yamux = new YamuxSession("client");
  events = [];
  peer.on("message", (data: Buffer) => {
    events.push(...yamux.receive(data, 0));
    flush();
  });
  await Promise.all([once(peer, "open"), isOpen.promise]);
});

afterEach(() => opened.disposeAsync());

function flush(): void {
  const output = yamux.takeOutput();
  if (output !== undefined) peer.send(output);
}

function callAll(path: string, count = calls): void {
  for (let number = 0; number < count; number += 1) {
    const caller = new DrpcCaller();
    const stream = yamux.open(0);
    for (const bytes of [caller.invoke(path), caller.message(new Uint8Array(1))]) {
      yamux.write(stream, bytes);
    }
  }
  flush();
}

/** Returns the number of received bytes by stream. */
function received(): ReadonlyMap<number, number> {
  const bytes = new Map<number, number>();
  for (const event of events) {
    if (event.type !== "data") continue;
    bytes.set(event.streamId, (bytes.get(event.streamId) ?? 0) + event.bytes.length);
  }
  return bytes;
}

/** Returns credit for everything received. */
function grantCredit(): void {
  for (const event of events.splice(0)) {
    if (event.type === "data") yamux.consume(event.streamId, event.bytes.length);
  }
  flush();
}

const mostAnswers = limits.maxUnreadBytes / answerBytes + limits.maxCallsAtOnce;

it("asks no more of the handlers of a peer that grants no credit, and goes on when it does", async () => {
  callAll("large");
  await vi.waitFor(() => expect(received().size).toBeGreaterThan(8), patience);
  expect(asked).toBeLessThanOrEqual(mostAnswers);
  await vi.waitFor(() => {
    grantCredit();
    expect(asked).toBe(calls);
  }, patience);
});

it("keeps little for a peer that does not read its socket, reads no more of it, and goes on when it does", async () => {
  peer.pause();
  callAll("large");
  await vi.waitFor(() => expect(server.raw.isPaused).toBe(true), patience);
  expect(asked).toBeLessThanOrEqual(mostAnswers);
  expect(server.raw.bufferedAmount).toBeLessThanOrEqual(
    limits.maxSocketBytes + mostAnswers * windowBytes,
  );
  peer.resume();
  await vi.waitFor(() => {
    grantCredit();
    expect(asked).toBe(calls);
  }, patience);
  await vi.waitFor(() => expect(server.raw.isPaused).toBe(false), patience);
});

it("gives a peer no credit for what it sends while it reads nothing, and all of it afterwards", async () => {
  callAll("large");
  await vi.waitFor(
    () => expect(asked * (answerBytes - windowBytes)).toBeGreaterThan(limits.maxUnreadBytes),
    patience,
  );
  const caller = new DrpcCaller();
  const stream = yamux.open(0);
  yamux.write(stream, caller.invoke("large"));
  yamux.write(stream, caller.message(new Uint8Array(2 * windowBytes)));
  flush();
  // The response to the ping follows the peer's processing of all of this.
  const ping = yamux.ping(0);
  flush();
  await vi.waitFor(
    () => expect(events).toContainEqual(expect.objectContaining({ type: "pong", id: ping })),
    patience,
  );
  expect(yamux.totalQueuedBytes).toBeGreaterThan(windowBytes / 2);
  await vi.waitFor(() => {
    grantCredit();
    expect(asked).toBe(calls + 1);
  }, patience);
});

it("asks the handlers no sooner than the peer may send", async () => {
  waitMs = 1_000;
  callAll("large", 1);
  await vi.waitFor(() => expect(clock.sleepers).toBe(1), patience);
  expect(asked).toBe(0);
  await clock.advance(1_000);
  await vi.waitFor(() => expect(asked).toBe(1), patience);
});

it("cuts a peer off that has left too much unread for a minute", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  opened.defer(() => void vi.useRealTimers());
  callAll("large");
  // Data beyond the peer's windows remains unread.
  await vi.waitFor(() =>
    expect(asked * (answerBytes - windowBytes)).toBeGreaterThan(limits.maxUnreadBytes),
  );
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    vi.advanceTimersByTime(ms);
  };
  await pass(limits.unreadTimeoutMs - 10_000);
  expect(server.signal.aborted).toBe(false);
  // On a slow machine, the last answers may be written only now, and with them the minute begins.
  await vi.waitFor(async () => {
    await pass(11_000);
    expect(server.signal.aborted).toBe(true);
  }, patience);
  expect(await session.ended).toBe("peer does not read");
});

it("answers a number of calls at once, and all of them in the end", async () => {
  callAll("slow");
  await vi.waitFor(() => expect(slow.running).toBe(maxCallsAtOnceOfPeer));
  slow.end.resolve();
  await vi.waitFor(() => expect(received().size).toBe(calls));
  expect(slow.most).toBe(maxCallsAtOnceOfPeer);
});

it("takes no more frames of a peer than its rate allows, and lets the socket wait", async () => {
  let charged = 0;
  reserve = (bytes) => {
    charged += bytes / limits.frameCost;
    return charged < 2_000 ? 0 : 3_600_000;
  };
  const streams = Array.from({ length: 10_000 }, (_, stream) => {
    const frames = Buffer.alloc(24);
    for (const [at, flags] of [
      [0, 1],
      [12, 8],
    ] as const) {
      frames[at + 1] = 1;
      frames.writeUInt16BE(flags, at + 2);
      frames.writeUInt32BE(2 * stream + 1, at + 4);
    }
    return frames;
  });
  peer.send(Buffer.concat(streams));
  await vi.waitFor(() => expect(charged).toBeGreaterThanOrEqual(2_000), 10_000);
  // Bytes are read 4 KiB at a time.
  expect(charged).toBeLessThan(2_400);
  expect(server.raw.isPaused).toBe(true);
  peer.ping();
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  expect(charged).toBeLessThan(2_400);
});

it("waits for what its peer's frames cost, however few of them came", async () => {
  let charges = 0;
  reserve = () => {
    charges += 1;
    return 3_600_000;
  };
  yamux.ping(0);
  flush();
  await vi.waitFor(() => expect(server.raw.isPaused).toBe(true), patience);
  yamux.ping(0);
  flush();
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  expect(charges).toBe(1);
});

/** Starts a request; returns its stream, and a function that sends the rest. */
function beginRequest(): { readonly stream: number; readonly finish: (more: Uint8Array) => void } {
  const caller = new DrpcCaller();
  const stream = yamux.open(0);
  const invoke = caller.invoke("slow");
  const message = caller.message(new Uint8Array(1.2 * unfinishedBytes));
  const write = (...parts: readonly Uint8Array[]): void => {
    for (const part of parts) yamux.write(stream, part);
    flush();
  };
  write(invoke, message.subarray(0, unfinishedBytes));
  return { stream, finish: (more) => write(message.subarray(unfinishedBytes), more) };
}

async function untilReset(stream: number): Promise<void> {
  const reset = expect.objectContaining({ type: "reset", streamId: stream });
  await vi.waitFor(() => expect(events).toContainEqual(reset), patience);
}

it("cuts off a request that is not complete in time, and no other call", async () => {
  callAll("slow", 1);
  const { stream } = beginRequest();
  await vi.waitFor(() => expect(unfinished.bytes).toBeGreaterThan(0.9 * unfinishedBytes), patience);
  await clock.advance(59_999);
  unfinished.cutOffOverdue(clock.monotonic());
  expect(unfinished.bytes).toBeGreaterThan(0);
  await clock.advance(1);
  unfinished.cutOffOverdue(clock.monotonic());
  expect(unfinished.bytes).toBe(0);
  await untilReset(stream);
  expect(events.filter(({ type }) => type === "reset")).toHaveLength(1);
  expect(slow.running).toBe(1);
});

it("cuts off the oldest of the requests that are too many bytes together", async () => {
  const first = beginRequest();
  await vi.waitFor(() => expect(unfinished.bytes).toBeGreaterThan(0.9 * unfinishedBytes), patience);
  beginRequest();
  await untilReset(first.stream);
  expect(events.filter(({ type }) => type === "reset")).toHaveLength(1);
  await vi.waitFor(() => expect(unfinished.bytes).toBeGreaterThan(0.9 * unfinishedBytes), patience);
});

it("counts the time of each request from its own beginning", async () => {
  const { finish } = beginRequest();
  await vi.waitFor(() => expect(unfinished.bytes).toBeGreaterThan(0.9 * unfinishedBytes), patience);
  await clock.advance(50_000);
  // In one chunk with the end of the first, so that there is always an incomplete one.
  finish(Uint8Array.of(2 << 1));
  await vi.waitFor(() => expect(slow.running).toBe(1), patience);
  expect(unfinished.bytes).toBe(1);
  await clock.advance(20_000);
  unfinished.cutOffOverdue(clock.monotonic());
  expect(unfinished.bytes).toBe(1);
});

it("counts nothing of a stream that was reset, or of a session that has ended", async () => {
  const { stream } = beginRequest();
  await vi.waitFor(() => expect(unfinished.bytes).toBeGreaterThan(0.9 * unfinishedBytes), patience);
  yamux.reset(stream);
  flush();
  await vi.waitFor(() => expect(unfinished.bytes).toBe(0), patience);
  beginRequest();
  await vi.waitFor(() => expect(unfinished.bytes).toBeGreaterThan(0.9 * unfinishedBytes), patience);
  session.close("over");
  expect(unfinished.bytes).toBe(0);
});
