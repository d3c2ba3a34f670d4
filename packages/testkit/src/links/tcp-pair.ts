import { TcpConnection } from "@slipway/wire/tcp/connection";
import type { TcpOptions } from "@slipway/wire/tcp/connection-options";
import { parseSegment } from "@slipway/wire/tcp/segment";

import { BytePattern } from "./byte-pattern.ts";
import { type EndPlan, TcpEnd } from "./tcp-end.ts";
import { type LinkOptions, VirtualLink } from "./virtual-link.ts";

export interface PairOptions {
  readonly seed: number;
  readonly client: EndPlan;
  readonly server: EndPlan;
  /** One set of options for both directions, or one for each. */
  readonly link: LinkOptions | { readonly toServer: LinkOptions; readonly toClient: LinkOptions };
  readonly tcp?: TcpOptions;
  readonly initialSequences?: readonly [number, number];
  readonly mtu?: number;
}

const ipHeaderBytes = 40;
/** The headers of a packet, without TCP options. */
const headerBytes = ipHeaderBytes + 20;
const defaultMtu = 1280;
/**
 * The number of steps without progress of time after which an end counts as caught in a loop. A link without delay
 * carries a whole transfer in no time, a queue of packets in each step.
 */
const maxStepsAtOnce = 10_000;
/** The time between two reads of an application that does not read everything immediately. */
const readEveryMs = 1;

/** Two connections over two links in virtual time, with an application at each end. */
export class TcpPair {
  readonly client: TcpEnd;
  readonly server: TcpEnd;
  readonly toServer: VirtualLink;
  readonly toClient: VirtualLink;
  readonly #options: PairOptions;
  readonly #buffer: Uint8Array;
  #pathMtu: number | undefined;
  now = 1000;
  /** The number of events so far. */
  steps = 0;

  constructor(options: PairOptions) {
    const { seed, link } = options;
    const links = "toServer" in link ? link : { toServer: link, toClient: link };
    const ours = new BytePattern(seed);
    const theirs = new BytePattern(seed + 1);
    this.#options = options;
    this.#buffer = new Uint8Array(options.mtu ?? defaultMtu);
    this.toServer = new VirtualLink({ overheadBytes: ipHeaderBytes, ...links.toServer }, seed + 2);
    this.toClient = new VirtualLink({ overheadBytes: ipHeaderBytes, ...links.toClient }, seed + 3);
    this.client = new TcpEnd(options.client, ours, theirs);
    this.server = new TcpEnd(options.server, theirs, ours);
    this.client.connection = TcpConnection.connect(this.#flow(0), options.tcp ?? {}, this.now);
    this.#settle(this.client, this.toServer);
  }

  /** Changes the longest packet that the path carries and, unless `isSilent`, notifies both ends. */
  changePath(mtu: number, isSilent = false): void {
    for (const [, link] of this.#ends()) link.maxPacketBytes = mtu;
    if (!isSilent) this.#pathMtu = mtu;
  }

  /** Runs until `isDone`, until no event remains, or until `limitMs` of virtual time have passed. */
  run(isDone: () => boolean, limitMs: number): boolean {
    const end = this.now + limitMs;
    let stepsAtOnce = 0;
    while (!isDone()) {
      const next = this.#nextTime();
      if (next === undefined || next > end) return false;
      stepsAtOnce = next > this.now ? 0 : stepsAtOnce + 1;
      if (stepsAtOnce > maxStepsAtOnce) throw new Error("virtual time does not advance");
      this.now = Math.max(this.now, next);
      this.step();
    }
    return true;
  }

  /** Processes everything that is due now. */
  step(): void {
    this.steps += 1;
    this.#deliver(this.toServer, this.server, this.toClient);
    this.#deliver(this.toClient, this.client, this.toServer);
    for (const [end, link] of this.#ends()) {
      const wake = end.connection?.nextWake();
      if (wake === undefined || wake > this.now) continue;
      end.connection?.tick(this.now);
      this.#settle(end, link);
    }
    for (const [end, link] of this.#ends()) if (isReading(end)) this.#settle(end, link);
  }

  /** Lets an end's application act, then sends the connection's output. */
  settle(end: "client" | "server"): void {
    if (end === "client") this.#settle(this.client, this.toServer);
    else this.#settle(this.server, this.toClient);
  }

  #ends(): readonly (readonly [TcpEnd, VirtualLink])[] {
    return [
      [this.client, this.toServer],
      [this.server, this.toClient],
    ];
  }

  #deliver(link: VirtualLink, end: TcpEnd, back: VirtualLink): void {
    for (let packet = link.receive(this.now); packet; packet = link.receive(this.now)) {
      const segment = parseSegment(packet, 0, packet.length);
      if (segment === undefined) throw new Error("sent segment is malformed");
      const isOpening = end === this.server && end.connection === undefined;
      if (isOpening) {
        const { tcp = {} } = this.#options;
        if ((segment.flags & 0x12) === 0x02) {
          end.connection = TcpConnection.accept(this.#flow(1), segment, tcp, this.now);
        }
      } else end.connection?.receive(segment, this.now);
      this.#settle(end, back);
    }
  }

  #settle(end: TcpEnd, link: VirtualLink): void {
    end.serve(this.now);
    const { connection } = end;
    if (connection === undefined) return;
    if (this.#pathMtu !== undefined) connection.limitSegments(this.#pathMtu - headerBytes);
    for (;;) {
      const length = connection.writeSegment(this.#buffer, 0, this.now);
      if (length === 0) break;
      link.send(this.#buffer.subarray(0, length), this.now);
    }
  }

  #nextTime(): number | undefined {
    const isReadingSlowly = isReading(this.client) || isReading(this.server);
    const times = [
      isReadingSlowly ? this.now + readEveryMs : undefined,
      this.toServer.nextArrival,
      this.toClient.nextArrival,
      this.client.connection?.nextWake(),
      this.server.connection?.nextWake(),
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #flow(end: 0 | 1) {
    const { initialSequences, seed, mtu = defaultMtu } = this.#options;
    return {
      localPort: end === 0 ? 40_000 : 22,
      remotePort: end === 0 ? 22 : 40_000,
      addressSum: 0,
      initialSequence: initialSequences?.[end] ?? Math.imul(seed + end, 0x9e37_79b1) >>> 0,
      timestampOffset: Math.imul(seed + end + 7, 0x85eb_ca6b) >>> 0,
      maxSegmentBytes: mtu - headerBytes,
    };
  }
}

/** Reports whether an application has unread data. */
function isReading({ connection }: TcpEnd): boolean {
  return connection !== undefined && connection.readable > 0;
}
