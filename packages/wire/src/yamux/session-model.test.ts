import { BytePattern } from "@slipway/testkit/links";
import fc from "fast-check";
import { expect, it } from "vitest";

import type { YamuxEvent } from "./events.ts";
import { YamuxSession } from "./session.ts";
import { initialWindow, updateThreshold } from "./stream-state.ts";

const maxQueuedBytes = 1_000_000;

/** What every stream carries: a lost, duplicated or swapped byte is detected. */
const contents = new BytePattern(1);

/** The events of a stream, as seen by one side. */
interface StreamModel {
  written: number;
  heard: number;
  unconsumed: number;
  /** True if data did not continue the data before it, or came after the end. */
  isSpoilt: boolean;
  isFinishing: boolean;
  isPeerFinished: boolean;
  isReset: boolean;
  closed: number;
}

/** One side of the pipe: a session, and the model of its streams. */
class Side {
  readonly session: YamuxSession;
  readonly streams = new Map<number, StreamModel>();
  /** Bytes in flight to the other side. */
  readonly wire: Uint8Array[] = [];

  constructor(role: "client" | "server") {
    this.session = new YamuxSession(role, { maxQueuedBytes });
  }

  stream(id: number): StreamModel {
    const stream = this.streams.get(id) ?? {
      written: 0,
      heard: 0,
      unconsumed: 0,
      isSpoilt: false,
      isFinishing: false,
      isPeerFinished: false,
      isReset: false,
      closed: 0,
    };
    this.streams.set(id, stream);
    return stream;
  }

  flush(): void {
    const bytes = this.session.takeOutput();
    if (bytes !== undefined) this.wire.push(bytes);
    this.note(this.session.takeEvents());
  }

  consume(id: number): void {
    const stream = this.stream(id);
    this.session.consume(id, stream.unconsumed);
    stream.unconsumed = 0;
  }

  note(events: readonly YamuxEvent[]): void {
    for (const event of events) {
      if (event.type === "pong" || event.type === "go-away") continue;
      const stream = this.stream(event.streamId);
      if (stream.closed > 0) stream.isSpoilt = true;
      if (event.type === "data") noteData(stream, event.bytes);
      if (event.type === "finished") stream.isPeerFinished = true;
      if (event.type === "reset") stream.isReset = true;
      if (event.type === "closed") stream.closed += 1;
    }
  }
}

function noteData(stream: StreamModel, bytes: Uint8Array): void {
  const isNext = contents.matches(stream.heard, bytes);
  if (!isNext || stream.isPeerFinished) stream.isSpoilt = true;
  stream.heard += bytes.length;
  stream.unconsumed += bytes.length;
}

/**
 * A step of `own`, with `other` as the other side; `at` picks one of the live streams, `length` the number of bytes.
 */
type Step = (own: Side, other: Side, at: number, length: number) => void;

const steps = {
  open: (own) => {
    own.stream(own.session.open(0));
  },
  flush: (own) => {
    own.flush();
  },
  /** Joins the bytes on the wire. */
  deliver: (own, other, _, length) => {
    const bytes = own.wire.shift();
    if (bytes === undefined) return;
    other.note(other.session.receive(bytes.subarray(0, length), 0));
    if (length < bytes.length) own.wire.unshift(bytes.subarray(length));
  },
  write: onLivingStream((own, id, stream, length) => {
    const isFull = own.session.queuedBytes(id) + length > maxQueuedBytes;
    if (stream.isFinishing || isFull) return;
    own.session.write(id, contents.view(stream.written, length));
    stream.written += length;
  }),
  consume: onLivingStream((own, id) => {
    own.consume(id);
  }),
  finish: onLivingStream((own, id, stream) => {
    own.session.finish(id);
    stream.isFinishing = true;
  }),
  reset: onLivingStream((own, id, stream) => {
    own.session.reset(id);
    stream.isReset = true;
    own.note(own.session.takeEvents());
  }),
} satisfies Record<string, Step>;

function onLivingStream(
  action: (own: Side, id: number, stream: StreamModel, length: number) => void,
): Step {
  return (own, _, at, length) => {
    const living = [...own.streams].filter(([, stream]) => stream.closed === 0);
    const picked = living[at % Math.max(living.length, 1)];
    if (picked !== undefined) action(own, ...picked, length);
  };
}

const anyStep = fc.record({
  step: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(steps.write, steps.deliver) },
    { weight: 10, arbitrary: fc.constantFrom(steps.flush, steps.consume) },
    { weight: 3, arbitrary: fc.constantFrom(steps.open, steps.finish) },
    { weight: 1, arbitrary: fc.constant(steps.reset) },
  ),
  isServer: fc.boolean(),
  at: fc.nat(7),
  length: fc.oneof(fc.nat(100), fc.nat(128 * 1024)),
});

/** Moves everything in both directions until neither side has output, with all applications reading. */
function settle(client: Side, server: Side): void {
  let moved = true;
  while (moved) {
    moved = false;
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      for (const [id, stream] of from.streams) if (stream.closed === 0) from.consume(id);
      from.flush();
      moved ||= from.wire.length > 0;
      while (from.wire.length > 0) steps.deliver(from, to, 0, Number.POSITIVE_INFINITY);
    }
  }
}

/** Returns the number of bytes by which the peer's credit falls short of a full window. */
function missingCredit(side: Side, id: number): number {
  side.session.write(id, new Uint8Array(initialWindow));
  side.flush();
  return side.session.queuedBytes(id);
}

it(
  "brings every byte in order, returns all credit and closes each stream once",
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 150, size: "max" }), (actions) => {
        const client = new Side("client");
        const server = new Side("server");
        for (const { step, isServer, at, length } of actions) {
          step(isServer ? server : client, isServer ? client : server, at, length);
        }
        settle(client, server);
        for (const [own, other] of [[client, server] as const, [server, client] as const]) {
          for (const [id, stream] of own.streams) {
            const peer = other.stream(id);
            const isReset = stream.isReset || peer.isReset;
            const isOver = isReset || (stream.isFinishing && peer.isFinishing);
            expect(stream).toMatchObject({ isSpoilt: false, closed: isOver ? 1 : 0 });
            expect(isReset || peer.heard).toBe(isReset || stream.written);
            expect(isReset || peer.isPeerFinished).toBe(isReset || stream.isFinishing);
            expect(own.session.queuedBytes(id)).toBe(0);
            // The credit not yet returned is too small for a frame.
            const missing = isOver || stream.isFinishing ? 0 : missingCredit(own, id);
            expect(missing).toBeLessThan(updateThreshold);
          }
        }
      }),
      { numRuns: 150 },
    );
  },
);
