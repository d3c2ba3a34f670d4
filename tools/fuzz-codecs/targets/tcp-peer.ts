import { TcpConnection } from "@slipway/wire/tcp/connection";
import { parseSegment } from "@slipway/wire/tcp/segment";

import { expectThat } from "../expectations.ts";
import type { FuzzTarget } from "../target.ts";

/** The longest packet of this end, with room for every kind of header. */
const mtu = 9000;

/** The bytes of a step: the action and its numeric arguments. */
const stepBytes = 8;
const maxBuffered = 20_000;
const ourSequence = 0xffff_fff0;
const peerSequence = 0x7fff_fff0;

/**
 * A connection and its user, driven by an input of steps: arbitrary segments of a peer, calls of the user, changes of
 * the path's capacity, and time. Buffers and answers stay bounded, and neither side loops.
 */
export const tcpPeerTarget: FuzzTarget = {
  name: "tcp-peer",
  maxBytes: 1024,
  maxMs: 200,
  words: ["\u0002\0\0\u0001", "\u0010\0\u0001\u0001", "\u0011\0\u0001\u0001"],
  seeds: () => [
    Uint8Array.from([0, ...say(0x12, 0, 1, 0), ...say(0x10, 1, 1, 100), 200, 0, 0, 0, 0, 0, 0, 9]),
    Uint8Array.from([1, ...say(0x10, 1, 1, 0), ...say(0x11, 1, 1, 50), 210, 0, 0, 0, 0, 0, 0, 0]),
    Uint8Array.from([3, ...say(0x10, 1, 1, 0), 200, 0, 0, 0, 0, 0, 99, 9, ...say(0x10, 1, 9, 0)]),
  ],
  check: (input) => {
    const world = new World(input[0] ?? 0);
    for (let at = 1; at + stepBytes <= input.length; at += stepBytes) {
      world.step(input.subarray(at, at + stepBytes));
    }
    world.finish();
  },
};

function say(flags: number, at: number, ack: number, length: number): readonly number[] {
  return [length, flags, 0, at, 0, ack, 0xff, 0];
}

class World {
  readonly #connection: TcpConnection;
  readonly #options: number;
  readonly #buffer = new Uint8Array(mtu);
  #now = 1000;
  #closed = 0;

  constructor(options: number) {
    this.#options = options;
    const flow = {
      localPort: 1,
      remotePort: 2,
      addressSum: 0,
      initialSequence: ourSequence,
      timestampOffset: 0,
      maxSegmentBytes: mtu - 60,
    };
    const limits = { maxReceiveBytes: maxBuffered, maxSendBytes: maxBuffered };
    const syn = this.#segment(0x02, 0, 0, new Uint8Array(0), 0xff);
    this.#connection =
      options % 2 === 0 || syn === undefined
        ? TcpConnection.connect(flow, limits, this.#now)
        : TcpConnection.accept(flow, syn, limits, this.#now);
    this.#settle();
  }

  step(bytes: Uint8Array): void {
    const [
      kind = 0,
      flags = 0,
      atHigh = 0,
      atLow = 0,
      ackHigh = 0,
      ackLow = 0,
      window = 0,
      extra = 0,
    ] = bytes;
    const amount = atHigh * 256 + atLow;
    const connection = this.#connection;
    if (kind >= 240) this.#wait(amount * 4);
    else if (kind >= 235) connection.limitSegments(amount);
    else if (kind >= 220) {
      const readable = connection.peek()?.length ?? 0;
      connection.consume(Math.min(readable, amount), this.#now);
    } else if (kind >= 210) {
      if (extra % 3 === 0) connection.finish(this.#now);
      else if (extra % 3 === 1) connection.close(this.#now);
      else connection.abort();
    } else if (kind >= 200) connection.write(new Uint8Array(ackLow * 256 + extra), this.#now);
    else {
      const signed = (high: number, low: number): number => ((high << 24) >> 16) + low;
      const payload = new Uint8Array(kind % 8 === 7 ? kind * 6 : kind % 8).fill(extra);
      const segment = this.#segment(
        flags,
        signed(atHigh, atLow),
        signed(ackHigh, ackLow),
        payload,
        window,
      );
      if (segment !== undefined) connection.receive(segment, this.#now);
    }
    this.#settle();
  }

  /** Advances time until nothing happens any more or a day has passed. */
  finish(): void {
    this.#wait(86_400_000);
    expectThat(this.#closed <= 1, "a connection is closed once");
  }

  #wait(ms: number): void {
    const end = this.#now + ms;
    for (let wakes = 0; wakes < 500; wakes += 1) {
      const wake = this.#connection.nextWake();
      if (wake === undefined || wake > end) break;
      expectThat(wake > this.#now, "time advances");
      this.#now = wake;
      this.#connection.tick(wake);
      this.#settle();
    }
    this.#now = end;
    this.#connection.tick(end);
    this.#settle();
  }

  #settle(): void {
    const connection = this.#connection;
    let sent = 0;
    while (connection.writeSegment(this.#buffer, 0, this.#now) > 0) sent += 1;
    expectThat(sent <= 400, "answers are bounded");
    for (const event of connection.takeEvents()) if (event.type === "closed") this.#closed += 1;
    expectThat(connection.readable <= maxBuffered, "received data is bounded");
    expectThat(connection.queuedBytes <= maxBuffered, "written data is bounded");
  }

  #segment(flags: number, at: number, ack: number, payload: Uint8Array, window: number) {
    const isSyn = (flags & 2) !== 0;
    const reports = (flags & 0x40) !== 0 && !isSyn;
    const options = isSyn ? this.#synOptions() : reports ? reportOf(ack, payload.length) : [];
    const bytes = new Uint8Array(20 + options.length + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(4, (peerSequence + at) >>> 0);
    view.setUint32(8, (ourSequence + ack) >>> 0);
    bytes[12] = (5 + options.length / 4) << 4;
    bytes[13] = flags;
    view.setUint16(14, window * 256);
    bytes.set(options, 20);
    bytes.set(payload, 20 + options.length);
    return parseSegment(bytes, 0, bytes.length);
  }

  #synOptions(): readonly number[] {
    const options = this.#options;
    return [
      ...((options & 2) === 0 ? [] : [1, 1, 4, 2]),
      ...((options & 4) === 0 ? [] : [1, 3, 3, options >>> 4]),
      ...((options & 8) === 0 ? [] : [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0]),
    ];
  }
}

/** A report of a range after the acknowledged bytes. */
function reportOf(ack: number, length: number): readonly number[] {
  const edges = new DataView(new ArrayBuffer(8));
  edges.setUint32(0, (ourSequence + ack + length) >>> 0);
  edges.setUint32(4, (ourSequence + ack + 2 * length + 1) >>> 0);
  return [1, 1, 5, 10, ...new Uint8Array(edges.buffer)];
}
