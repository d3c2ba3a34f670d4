import type { TcpOptions } from "../../src/tcp/connection-options.ts";
import { TcpConnection } from "../../src/tcp/connection.ts";
import { parseSegment } from "../../src/tcp/segment.ts";

/** A segment that the peer sends. Offsets count from the SYN of their direction, which is 0. */
export interface Said {
  /** The offset of its first byte (default: after everything sent before). */
  readonly at?: number;
  /** The offset that it acknowledges; undefined omits the flag (default: everything received). */
  readonly ack?: number | undefined;
  /** Letters of S, F, R and P; ACK comes from `ack`. */
  readonly flags?: string;
  /** Its payload, or the length of a payload that encodes its own offsets. */
  readonly data?: Uint8Array | number;
  /** The window in bytes (default: 64,000). */
  readonly window?: number;
  /** The edges of its SACK option, as offsets. */
  readonly sacks?: readonly number[];
  /** Its timestamp and what it echoes (default: none). */
  readonly timestamps?: readonly [number, number];
  /** Raw options, in place of the others. */
  readonly rawOptions?: Uint8Array;
}

/** A segment sent by the connection under test, in the same terms. */
export interface Heard {
  readonly at: number;
  readonly ack: number | undefined;
  readonly flags: string;
  readonly length: number;
  readonly window: number;
  readonly sacks: readonly number[];
  readonly data: Uint8Array;
}

export interface PeerHabits {
  readonly mss?: number;
  /** The shift of the peer's windows; undefined omits the option. */
  readonly windowScale?: number | undefined;
  readonly hasSack?: boolean;
  readonly hasTimestamps?: boolean;
}

/** The initial sequence number of the connection under test. */
export const ourSequence = 0xffff_f000;
const peerSequence = 0x7fff_ff00;
const defaultSegmentBytes = 1220;

/** The peer of one connection, scripted by a test, byte by byte as the test encodes it. */
export class ScriptedPeer {
  readonly connection: TcpConnection;
  readonly #habits: PeerHabits;
  readonly #buffer = new Uint8Array(20_000);
  /** The offset after the peer's sent data, and after the data that it has received without a gap. */
  #sent = 0;
  #heard = 0;
  /** The shift of the windows of the connection under test, and its latest timestamp. */
  #scale = 0;
  #latestTimestamp = 0;
  now = 1000;

  private constructor(
    role: "client" | "server",
    habits: PeerHabits,
    tcp: TcpOptions,
    maxSegmentBytes: number,
  ) {
    this.#habits = habits;
    const flow = {
      localPort: 1,
      remotePort: 2,
      addressSum: 0,
      initialSequence: ourSequence,
      timestampOffset: 0xffff_ff00,
      maxSegmentBytes,
    };
    if (role === "client") this.connection = TcpConnection.connect(flow, tcp, this.now);
    else {
      const syn = this.#encode({ at: 0, ack: undefined, flags: "S", ...this.#synOptions() });
      const segment = parseSegment(syn, 0, syn.length);
      if (segment === undefined) throw new Error("the SYN is malformed");
      this.connection = TcpConnection.accept(flow, segment, tcp, this.now);
      this.#sent = 1;
    }
  }

  /** Creates a peer that is called by a connection under test, which has not sent anything yet. */
  static called(habits: PeerHabits = {}, tcp: TcpOptions = {}): ScriptedPeer {
    return new ScriptedPeer("client", habits, tcp, defaultSegmentBytes);
  }

  /** Creates a peer whose SYN a connection under test has accepted, and which accepts payloads of `maxSegmentBytes`. */
  static calling(
    habits: PeerHabits = {},
    tcp: TcpOptions = {},
    maxSegmentBytes = defaultSegmentBytes,
  ): ScriptedPeer {
    return new ScriptedPeer("server", habits, tcp, maxSegmentBytes);
  }

  /** Creates a peer of an established connection, whose handshake and events have been consumed. */
  static connected(habits: PeerHabits = {}, tcp: TcpOptions = {}): ScriptedPeer {
    const peer = ScriptedPeer.calling(habits, tcp);
    peer.hear();
    peer.say({});
    peer.connection.takeEvents();
    return peer;
  }

  /** Sends a segment, and returns the response. */
  say(said: Said): readonly Heard[] {
    const bytes = this.#encode(said);
    const segment = parseSegment(bytes, 0, bytes.length);
    if (segment === undefined) throw new Error("the segment is malformed");
    const length = segment.payloadEnd - segment.payloadStart;
    const extra = /[SF]/.test(said.flags ?? "") ? 1 : 0;
    this.#sent = Math.max(this.#sent, (said.at ?? this.#sent) + length + extra);
    this.connection.receive(segment, this.now);
    return this.hear();
  }

  /** Sends a SYN with the peer's options. */
  saySyn(said: Said = {}): readonly Heard[] {
    return this.say({ at: 0, flags: "S", ...this.#synOptions(), ...said });
  }

  /** Lets time pass, and returns the segments that the connection sends meanwhile. */
  wait(ms: number): readonly Heard[] {
    const end = this.now + ms;
    const heard: Heard[] = [...this.hear()];
    for (;;) {
      const wake = this.connection.nextWake();
      if (wake === undefined || wake > end) break;
      this.now = Math.max(this.now, wake);
      this.connection.tick(this.now);
      heard.push(...this.hear());
    }
    this.now = end;
    return heard;
  }

  /** Takes the connection's pending output. */
  hear(): readonly Heard[] {
    const heard: Heard[] = [];
    for (;;) {
      const length = this.connection.writeSegment(this.#buffer, 0, this.now);
      if (length === 0) return heard;
      heard.push(this.#decode(this.#buffer.slice(0, length)));
      if (heard.length > 100_000) throw new Error("the connection does not stop to send");
    }
  }

  #synOptions(): Said {
    const { mss = 1220, windowScale, hasSack = true, hasTimestamps = false } = this.#habits;
    const bytes = [2, 4, mss >>> 8, mss & 255];
    if (windowScale !== undefined) bytes.push(1, 3, 3, windowScale);
    if (hasSack) bytes.push(1, 1, 4, 2);
    if (hasTimestamps) bytes.push(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0);
    return { rawOptions: Uint8Array.from(bytes) };
  }

  #encode(said: Said): Uint8Array {
    const { at = this.#sent, flags = "", window = 64_000, data = 0 } = said;
    const ack = "ack" in said ? said.ack : this.#heard;
    const payload = typeof data === "number" ? dataAt(at, data) : data;
    const options = said.rawOptions ?? this.#options(said);
    const bytes = new Uint8Array(20 + options.length + payload.length);
    const view = new DataView(bytes.buffer);
    const isSyn = flags.includes("S");
    view.setUint16(0, 2);
    view.setUint16(2, 1);
    view.setUint32(4, (peerSequence + at) >>> 0);
    view.setUint32(8, ack === undefined ? 0 : (ourSequence + ack) >>> 0);
    bytes[12] = ((20 + options.length) / 4) << 4;
    bytes[13] = letters.reduce(
      (bits, letter, bit) => bits | (flags.includes(letter) ? 1 << bit : 0),
      0,
    );
    if (ack !== undefined) bytes[13] |= 16;
    view.setUint16(14, window >>> (isSyn ? 0 : (this.#habits.windowScale ?? 0)));
    bytes.set(options, 20);
    bytes.set(payload, 20 + options.length);
    return bytes;
  }

  #options({ sacks = [], timestamps }: Said): Uint8Array {
    const words: number[] = [];
    const times =
      timestamps ?? (this.#habits.hasTimestamps === true ? [this.now, this.#latestTimestamp] : []);
    if (times.length > 0) words.push(0x0101_080a, ...times);
    if (sacks.length > 0) {
      words.push(0x0101_0500 + 2 + 4 * sacks.length);
      words.push(...sacks.map((edge) => ourSequence + edge));
    }
    const bytes = new Uint8Array(words.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [index, word] of words.entries()) view.setUint32(index * 4, word >>> 0);
    return bytes;
  }

  #decode(bytes: Uint8Array): Heard {
    const segment = parseSegment(bytes, 0, bytes.length);
    if (segment === undefined) throw new Error("the connection has sent a malformed segment");
    const { options, payloadStart, payloadEnd } = segment;
    const isSyn = (segment.flags & 2) !== 0;
    if (isSyn && this.#habits.windowScale !== undefined) this.#scale = options.windowScale ?? 0;
    this.#latestTimestamp = options.timestamp ?? 0;
    const flags = letters.filter((_, bit) => (segment.flags & (1 << bit)) !== 0).join("");
    const at = (segment.sequence - ourSequence) | 0;
    const length = payloadEnd - payloadStart;
    const end = at + length + (/[SF]/.test(flags) ? 1 : 0);
    if (at <= this.#heard) this.#heard = Math.max(this.#heard, end);
    return {
      at,
      ack: (segment.flags & 16) === 0 ? undefined : (segment.acknowledgment - peerSequence) | 0,
      flags,
      length,
      window: segment.window * 2 ** (isSyn ? 0 : this.#scale),
      sacks: options.sackEdges.map((edge) => (edge - peerSequence) | 0),
      data: bytes.subarray(payloadStart, payloadEnd),
    };
  }
}

/** The bits of the flags field, lowest first. */
const letters = ["F", "S", "R", "P"] as const;

/** Returns bytes derived from their offset. */
export function dataAt(offset: number, length: number): Uint8Array {
  return Uint8Array.from(
    { length },
    (_, index) => (offset + index) * 31 + ((offset + index) >>> 8),
  );
}
