import { YamuxError } from "./events.ts";
import type { YamuxEvent } from "./events.ts";
import { FrameReader } from "./frame-reader.ts";
import type { FramePart } from "./frame-reader.ts";
import { Flag, FrameType, GoAwayCode } from "./header.ts";
import type { FrameHeader } from "./header.ts";
import { KeepAlive } from "./keep-alive.ts";
import { Output } from "./output.ts";
import { StreamState } from "./stream-state.ts";
import { StreamTable } from "./stream-table.ts";

/** The default maximum number of streams that the peer may have open; further ones are reset. */
const defaultMaxStreams = 256;
/** Room for a few of the largest messages (4 MiB each, docs/protocol/rpc.md §3.1). */
const defaultMaxQueuedBytes = 16 * 1024 * 1024;
/** The number of pings whose pong is still remembered; older ones are forgotten. */
const maxWaitingPings = 64;
const maxStreamId = 0xffff_ffff;
const noEvents: readonly YamuxEvent[] = [];

export interface YamuxOptions {
  /** The maximum number of streams that the peer may have open. */
  readonly maxStreams?: number;
  /** The maximum number of bytes that may wait for credit or for the socket on one stream. */
  readonly maxQueuedBytes?: number;
}

/**
 * One yamux session (docs/protocol/rpc.md §2), either side of it, without a socket or a clock.
 *
 * The owner hands in the bytes that the socket reads (`receive`), writes `takeOutput` to it after every call, calls
 * `tick` when `nextWake` is reached, and handles `takeEvents` after every call but `receive`, which returns the
 * events itself. All times are milliseconds of one clock that does not run backwards. A thrown error with a code that
 * ends a session (see `YamuxErrorCode`) does so: every later call throws the same error, and the last output is at
 * most a GoAway. `takeEvents` still returns events from before the error.
 */
export class YamuxSession {
  readonly #maxStreams: number;
  readonly #maxQueuedBytes: number;
  readonly #reader = new FrameReader();
  readonly #output = new Output();
  readonly #keepAlive = new KeepAlive();
  readonly #streams = new StreamTable();
  /** The pings that wait for their pong, oldest first; created on demand. */
  #pings: Set<number> | undefined;
  /**
   * Created on demand: an empty array that waits in an idle session becomes old, and V8 would keep what it has held until
   * it collects old objects.
   */
  #events: YamuxEvent[] | undefined;
  #nextStreamId: number;
  #nextPingId = 0;
  /** The stream of the Data frame being read; undefined if its bytes are dropped. */
  #target: StreamState | undefined;
  #isLeaving = false;
  #isPeerLeaving = false;
  #now = 0;
  #failure: YamuxError | undefined;

  constructor(role: "client" | "server", options: YamuxOptions = {}) {
    this.#nextStreamId = role === "client" ? 1 : 2;
    this.#maxStreams = options.maxStreams ?? defaultMaxStreams;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? defaultMaxQueuedBytes;
  }

  /**
   * Handles a chunk, cut anywhere, and returns all new events. The bytes of `data` events are views of `chunk`, which
   * therefore must not be reused.
   */
  receive(chunk: Uint8Array, now: number): readonly YamuxEvent[] {
    this.#enter(now);
    this.#keepAlive.start(now);
    this.#orDie(() => {
      for (const part of this.#reader.read(chunk)) this.#receivePart(part);
    });
    return this.takeEvents();
  }

  /** The number of frames received so far: each costs processing time, however short it is. */
  get receivedFrames(): number {
    return this.#reader.frames;
  }

  /** The missing bytes of the frame being received. */
  get missingBytes(): number {
    return this.#reader.missingBytes;
  }

  /** Returns the events since the last `receive` or `takeEvents`. */
  takeEvents(): readonly YamuxEvent[] {
    const events = this.#events ?? noEvents;
    this.#events = undefined;
    return events;
  }

  /**
   * Opens a stream, on which data may be written immediately, and returns its id. Throws "backlog-full" while 256
   * streams wait for their answer, "going-away" after the peer's GoAway.
   */
  open(now: number): number {
    this.#enter(now);
    this.#keepAlive.start(now);
    if (this.#isPeerLeaving) throw new YamuxError("going-away", "the peer accepts no more streams");
    this.#streams.requireRoom();
    const streamId = this.#nextStreamId;
    if (streamId > maxStreamId) throw new YamuxError("ids-exhausted", "all stream ids are used up");
    this.#nextStreamId += 2;
    this.#streams.add(new StreamState(streamId, "us"), now);
    this.#output.push({ type: FrameType.windowUpdate, flags: Flag.syn, streamId, length: 0 });
    return streamId;
  }

  /**
   * Queues `bytes`, which the session keeps until they are sent: do not change them. Throws "queue-full" beyond
   * `maxQueuedBytes` (a `writable` event tells when to try again), "stream-finished" after `finish`,
   * "unknown-stream".
   */
  write(streamId: number, bytes: Uint8Array): void {
    this.#throwIfDead();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      throw new YamuxError(
        "unknown-stream",
        `write to stream ${String(streamId)}, which is not open`,
      );
    }
    stream.write(bytes, this.#maxQueuedBytes);
    this.#output.ready(stream);
  }

  /** Returns the bytes that wait for credit or for `takeOutput`; 0 for a stream that is not open. */
  queuedBytes(streamId: number): number {
    return this.#streams.get(streamId)?.queuedBytes ?? 0;
  }

  /** Returns the bytes that wait for credit or for `takeOutput` on all streams together. */
  get totalQueuedBytes(): number {
    let bytes = 0;
    for (const stream of this.#streams.values()) bytes += stream.queuedBytes;
    return bytes;
  }

  /** Marks bytes of a stream as consumed by the application: the peer may send as many more. No-op if it is closed. */
  consume(streamId: number, byteCount: number): void {
    const stream = this.#streams.get(streamId);
    if (stream?.consume(byteCount) === true) this.#output.due(stream);
  }

  /** Sends FIN after the queued bytes. No-op if already finished or closed. */
  finish(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream?.finish() === true) this.#output.ready(stream);
  }

  /** Sends RST and forgets the stream with its queued data. No-op if it is closed. */
  reset(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#cutOff(stream);
  }

  /** Sends a ping and returns its id, which comes back in a `pong` event. */
  ping(now: number): number {
    this.#enter(now);
    const id = this.#sendPing();
    this.#pings ??= new Set();
    this.#pings.add(id);
    for (const oldest of this.#pings) {
      if (this.#pings.size <= maxWaitingPings) break;
      this.#pings.delete(oldest);
    }
    return id;
  }

  /** Tells the peer to open no more streams; those it opens anyway are reset. */
  goAway(code: number): void {
    this.#throwIfDead();
    this.#isLeaving = true;
    this.#output.push({ type: FrameType.goAway, flags: 0, streamId: 0, length: code });
  }

  /** True if there is only output that may wait for other output: acknowledgments and ends of streams. */
  get isOutputPatient(): boolean {
    return this.#output.isPatient;
  }

  /**
   * Removes and returns everything that may go to the socket now, in one buffer that the caller owns; `undefined` if
   * there is nothing.
   */
  takeOutput(): Uint8Array | undefined {
    return this.#output.take({
      sentData: (stream) => {
        if (stream.takeWritable(this.#maxQueuedBytes)) {
          this.#emit({ type: "writable", streamId: stream.id });
        }
      },
      sentFin: (stream) => {
        if (stream.isOver) this.#forget(stream);
        else this.#streams.awaitFin(stream, this.#now);
      },
    });
  }

  /** Returns the time of the next `tick`; `undefined` once the session is dead. */
  nextWake(): number | undefined {
    if (this.#failure !== undefined) return undefined;
    return Math.min(this.#keepAlive.nextWake(), this.#streams.deadline);
  }

  /** Does the work due by `now`: the keep-alive and the time limits. Throws "keep-alive-timeout" and "open-timeout". */
  tick(now: number): void {
    this.#enter(now);
    this.#orDie(() => {
      this.#keepAlive.tick(now, () => this.#sendPing());
      this.#streams.requireAnswers(now);
    });
    for (const stream of this.#streams.overdue(now)) {
      this.#emit({ type: "reset", streamId: stream.id });
      this.#cutOff(stream);
    }
  }

  #receivePart(part: FramePart): void {
    const { header } = part;
    if (part.type === "payload") {
      const stream = this.#target;
      if (stream === undefined || !this.#streams.has(stream)) return;
      this.#emit({ type: "data", streamId: stream.id, bytes: part.bytes });
      if (part.isLast) this.#receiveEnd(stream, header.flags);
      return;
    }
    switch (header.type) {
      case FrameType.data:
      case FrameType.windowUpdate:
        this.#receiveStreamHeader(header);
        return;
      case FrameType.ping:
        this.#receivePing(header);
        return;
      case FrameType.goAway:
        this.#receiveGoAway(header.length);
    }
  }

  /** Flags take effect in the order SYN, ACK, (window or payload), FIN, RST. */
  #receiveStreamHeader(header: FrameHeader): void {
    if ((header.flags & Flag.syn) !== 0) this.#receiveSyn(header.streamId);
    const stream = this.#streams.get(header.streamId);
    this.#target = stream;
    // Late frames of a stream that is over are dropped (docs/protocol/rpc.md §2.3).
    if (stream === undefined) return;
    if ((header.flags & Flag.ack) !== 0) this.#receiveAck(stream);
    if (header.type === FrameType.windowUpdate) {
      stream.grant(header.length);
      this.#output.ready(stream);
    } else if (header.length > 0) {
      stream.announce(header.length);
      // FIN and RST wait for the payload.
      return;
    }
    this.#receiveEnd(stream, header.flags);
  }

  #receiveSyn(streamId: number): void {
    if (streamId === 0) throw new YamuxError("protocol-error", "SYN for stream 0");
    if (this.#streams.get(streamId) !== undefined) {
      throw new YamuxError("protocol-error", `SYN for stream ${String(streamId)}, which is open`);
    }
    if (this.#isLeaving || this.#streams.incoming >= this.#maxStreams) {
      this.#output.reply({ type: FrameType.windowUpdate, flags: Flag.rst, streamId, length: 0 });
      return;
    }
    const stream = new StreamState(streamId, "peer");
    this.#streams.add(stream, this.#now);
    this.#output.due(stream);
    this.#emit({ type: "opened", streamId });
  }

  #receiveAck(stream: StreamState): void {
    if (stream.openedBy === "peer" || stream.handshake === "done") return;
    this.#streams.answered(stream);
    this.#emit({ type: "accepted", streamId: stream.id });
  }

  #receiveEnd(stream: StreamState, flags: number): void {
    if ((flags & Flag.fin) !== 0) {
      stream.peerFinished();
      // A FIN before the ACK stands for it, in both directions (docs/protocol/rpc.md §2.3).
      if (stream.handshake === "pending") this.#streams.answered(stream);
      this.#emit({ type: "finished", streamId: stream.id });
      if (stream.isOver) this.#forget(stream);
    }
    if ((flags & Flag.rst) !== 0 && this.#streams.has(stream)) {
      this.#emit({ type: "reset", streamId: stream.id });
      this.#forget(stream);
    }
  }

  /** Answers a ping. Anything without SYN counts as a reply (docs/protocol/rpc.md §2.5). */
  #receivePing(header: FrameHeader): void {
    if ((header.flags & Flag.syn) !== 0) {
      this.#output.reply({
        type: FrameType.ping,
        flags: Flag.ack,
        streamId: 0,
        length: header.length,
      });
    } else if (!this.#keepAlive.pong(header.length) && this.#pings?.delete(header.length)) {
      if (this.#pings.size === 0) this.#pings = undefined;
      this.#emit({ type: "pong", id: header.length });
    }
  }

  #receiveGoAway(code: number): void {
    this.#isPeerLeaving = true;
    this.#emit({ type: "go-away", code });
    if (code !== GoAwayCode.normal) {
      throw new YamuxError("peer-failed", `the peer ended the session with code ${String(code)}`);
    }
  }

  #sendPing(): number {
    const id = this.#nextPingId;
    this.#nextPingId = (id + 1) % 0x1_0000_0000;
    this.#output.push({ type: FrameType.ping, flags: Flag.syn, streamId: 0, length: id });
    return id;
  }

  #cutOff(stream: StreamState): void {
    this.#output.push({
      type: FrameType.windowUpdate,
      flags: Flag.rst,
      streamId: stream.id,
      length: 0,
    });
    this.#forget(stream);
  }

  #forget(stream: StreamState): void {
    // Otherwise it would stay, and become old, until the next stream's first frame.
    if (this.#target === stream) this.#target = undefined;
    this.#streams.remove(stream);
    this.#output.forget(stream);
    this.#emit({ type: "closed", streamId: stream.id });
  }

  #emit(event: YamuxEvent): void {
    this.#events ??= [];
    this.#events.push(event);
  }

  #enter(now: number): void {
    this.#throwIfDead();
    this.#now = now;
  }

  #throwIfDead(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Runs `action`; an error in it ends the session. */
  #orDie(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (error instanceof YamuxError) this.#die(error);
      throw error;
    }
  }

  #die(error: YamuxError): void {
    this.#failure = error;
    this.#output.clear();
    this.#streams.clear();
    if (error.code === "protocol-error") {
      const length = GoAwayCode.protocolError;
      this.#output.push({ type: FrameType.goAway, flags: 0, streamId: 0, length });
    }
  }
}
