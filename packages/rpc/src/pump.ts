import { type Clock, errorText } from "@slipway/runtime";
import { YamuxError } from "@slipway/wire/yamux/events";
import type { YamuxEvent } from "@slipway/wire/yamux/events";
import { YamuxSession } from "@slipway/wire/yamux/session";

import { SessionClosedError } from "./errors.ts";
import { bytesOf, type RpcSocket, type SocketData } from "./socket.ts";
import { type OutputLimits, UnreadOutput } from "./unread-output.ts";

/** The differences between the two ends of a session; one object for all sessions of an end. */
export interface PumpOptions {
  /** A caller is the yamux client and opens streams, a responder the server and accepts them. */
  readonly role: "client" | "server";
  readonly output: OutputLimits;
  /**
   * Charges received frames to the peer's rate; returns the milliseconds to wait before reading more. Undefined to
   * read without a limit.
   */
  readonly chargeFrames?: (count: number) => number;
  /** The close of a session whose peer sends a text message: each end has its own close code. */
  readonly textMessage: { readonly code: number; readonly reason: string };
}

/** The end that a pump serves: a caller or a responder. */
export interface PumpOwner {
  /** Handles an event of a stream, or a pong. Throws to end the session. */
  onEvent(event: YamuxEvent): void;
  /** Called when the peer has read enough that `isBlocked` is false again. */
  onDrained(): void;
  /** Called once, when the session is over; no event follows. */
  onEnd(reason: string): void;
}

/** The bytes read at a time, except for the payload of a frame, which is read whole. */
const maxTakenBytes = 4 * 1024;
/** The frames read in one turn of the event loop. */
const maxFramesPerTurn = 256;

/**
 * The time that acknowledgments and ends of streams wait for other output. Each call would otherwise cost two more messages,
 * and thus system calls at both ends. The calls with which an agent begins its session come within this time, even on a
 * busy server.
 */
const patienceMs = 500;

/**
 * The interval at which a session checks what is due; a ping may be late by this much. An interval costs a server with
 * thousands of sessions less than timers that are set again and again, each of which becomes old before it is garbage.
 */
const checkMs = 5_000;

/** The code of every close but one: docs/protocol/rpc.md §1.3. */
export const normalClose = 1000;

/**
 * One session: yamux on the binary messages of a WebSocket (docs/protocol/rpc.md §1 to §2). It carries bytes both
 * ways, wakes yamux for its keep-alive and timeouts, and holds back when the peer does not read. Ends with its
 * socket.
 */
export class Pump {
  readonly #socket: RpcSocket;
  readonly #owner: PumpOwner;
  readonly #clock: Clock;
  readonly #options: PumpOptions;
  readonly #yamux: YamuxSession;
  readonly #unread: UnreadOutput;
  readonly #ended = Promise.withResolvers<string>();
  #endReason: string | undefined;
  /** Credit to return when the peer reads again, by stream; created on demand. */
  #owedCredit: Map<number, number> | undefined;
  #isFlushQueued = false;
  /** Sends output that waited long enough. */
  #patience: NodeJS.Timeout | undefined;
  /** Received bytes that wait for their turn, or until the frames before them are paid for. */
  #input: Uint8Array[] = [];
  #isHeld = false;
  #holdTimer: NodeJS.Timeout | undefined;
  readonly #checking: NodeJS.Timeout;

  constructor(socket: RpcSocket, owner: PumpOwner, clock: Clock, options: PumpOptions) {
    this.#socket = socket;
    this.#owner = owner;
    this.#clock = clock;
    this.#options = options;
    this.#yamux = new YamuxSession(options.role);
    this.#unread = new UnreadOutput(socket.raw, this.#yamux, options.output, () => {
      if (this.#unread.isTooMuch) this.#flush();
    });
    socket.raw.on("message", (data, isBinary) => this.#receive(data, isBinary));
    this.#yamux.tick(clock.monotonic());
    this.#checking = setInterval(() => this.#check(), checkMs);
    const { signal } = socket;
    signal.addEventListener("abort", () => this.#lost(), { once: true });
    if (signal.aborted) this.#lost();
  }

  /** Resolves to the reason once the session is over; never rejects. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** True while the peer leaves too much unread: it must get no more answers. It gets no credit either. */
  get isBlocked(): boolean {
    return this.#unread.isTooMuch;
  }

  /** Resolves when the peer has read enough; undefined if it already has. Rejects with the signal's reason. */
  drained(signal: AbortSignal): Promise<void> | undefined {
    return this.#unread.drained(signal);
  }

  /**
   * Opens a stream and returns its id. Throws `SessionClosedError` after the end, and `YamuxError` when the peer
   * accepts no more streams.
   */
  open(): number {
    if (this.#endReason !== undefined) throw new SessionClosedError(this.#endReason);
    return this.#yamux.open(this.#clock.monotonic());
  }

  /** Queues bytes, which the caller must no longer change. Bytes for a stream that is over are dropped. */
  write(streamId: number, bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#endReason !== undefined) return;
    try {
      this.#yamux.write(streamId, bytes);
    } catch (error) {
      if (!isOfEndedStream(error)) this.end(errorText(error), normalClose);
      return;
    }
    this.#unread.wrote(bytes.length, this.#clock.monotonic());
    this.#flush();
  }

  /** Returns credit for received bytes; if the peer is not reading, not until it does. */
  consume(streamId: number, byteCount: number): void {
    if (this.#endReason !== undefined) return;
    if (!this.#unread.isTooMuch) return this.#yamux.consume(streamId, byteCount);
    this.#owedCredit ??= new Map();
    this.#owedCredit.set(streamId, (this.#owedCredit.get(streamId) ?? 0) + byteCount);
  }

  /** Half-closes a stream after the written data. No-op if already done. */
  finish(streamId: number): void {
    this.#yamux.finish(streamId);
    this.#flush();
  }

  /** Drops a stream and its unsent data. No-op if it is over. */
  reset(streamId: number): void {
    this.#yamux.reset(streamId);
    this.#flush();
  }

  /** Sends a ping, and returns the id of its pong; undefined after the end. */
  ping(): number | undefined {
    if (this.#endReason !== undefined) return undefined;
    const id = this.#yamux.ping(this.#clock.monotonic());
    this.#flush();
    return id;
  }

  /** Ends the session and closes the socket with `code`; the peer does not learn the reason. Idempotent. */
  end(reason: string, code: number): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    clearInterval(this.#checking);
    clearTimeout(this.#holdTimer);
    clearTimeout(this.#patience);
    this.#input = [];
    this.#ended.resolve(reason);
    this.#owner.onEnd(reason);
    this.#socket.close(code, "");
  }

  #receive(data: SocketData, isBinary: boolean): void {
    // Messages may arrive until the peer has answered the close.
    if (this.#endReason !== undefined) return;
    if (!isBinary) {
      const { reason, code } = this.#options.textMessage;
      return this.end(reason, code);
    }
    this.#input.push(bytesOf(data));
    if (!this.#isHeld) this.#takeIn();
  }

  /** Reads the received bytes, a few frames per turn, and no more than the peer's rate allows. */
  #takeIn(): void {
    const first = this.#yamux.receivedFrames;
    const { chargeFrames } = this.#options;
    this.#guard(() => {
      for (let chunk = this.#input.shift(); chunk !== undefined; chunk = this.#input.shift()) {
        const before = this.#yamux.receivedFrames;
        const size =
          chargeFrames === undefined
            ? chunk.length
            : Math.max(maxTakenBytes, this.#yamux.missingBytes);
        if (size < chunk.length) this.#input.unshift(chunk.subarray(size));
        this.#dispatch(this.#yamux.receive(chunk.subarray(0, size), this.#clock.monotonic()));
        if (chargeFrames === undefined || this.#endReason !== undefined) continue;
        const waitMs = chargeFrames(this.#yamux.receivedFrames - before);
        const isTurnOver = this.#yamux.receivedFrames - first >= maxFramesPerTurn;
        if (waitMs > 0 || isTurnOver) return this.#hold(waitMs);
      }
      return undefined;
    });
    this.#flush();
  }

  /** Stops reading for a while, or until the next turn. */
  #hold(waitMs: number): void {
    this.#isHeld = true;
    this.#socket.raw.pause();
    const goOn = (): void => {
      this.#isHeld = false;
      if (this.#endReason !== undefined) return;
      if (!this.#unread.isTooMuch) this.#socket.raw.resume();
      this.#takeIn();
    };
    if (waitMs > 0) this.#holdTimer = setTimeout(goOn, waitMs);
    else setImmediate(goOn);
  }

  #dispatch(events: readonly YamuxEvent[]): void {
    for (const event of events) {
      if (this.#endReason !== undefined) return;
      if (event.type === "closed") this.#owedCredit?.delete(event.streamId);
      this.#owner.onEvent(event);
    }
  }

  /** Sends everything written in one turn as one message. */
  #flush(): void {
    if (this.#isFlushQueued || this.#endReason !== undefined) return;
    this.#isFlushQueued = true;
    queueMicrotask(() => {
      this.#isFlushQueued = false;
      if (this.#endReason === undefined) this.#guard(() => this.#flushNow());
    });
  }

  #flushNow(): void {
    const now = this.#clock.monotonic();
    if (this.#yamux.isOutputPatient && !this.#unread.isTooMuch) this.#flushLater();
    else if (this.#send(now)) this.#returnCredit();
    if (now >= this.#unread.cutOffAt) return this.#cutOff();
    // Streams whose last frame has gone out are closed.
    this.#dispatch(this.#yamux.takeEvents());
    // Once output was read, the socket resumes.
    if (this.#isHeld) this.#socket.raw.pause();
  }

  #flushLater(): void {
    this.#patience ??= setTimeout(() => {
      this.#guard(() => {
        const now = this.#clock.monotonic();
        if (this.#send(now)) this.#returnCredit();
        this.#dispatch(this.#yamux.takeEvents());
      });
    }, patienceMs);
  }

  /** Passes output to the socket; returns true if the peer has read enough again. */
  #send(now: number): boolean {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    return this.#unread.flush(now);
  }

  /** Lets the peer send again, now that it has read enough. */
  #returnCredit(): void {
    for (const [streamId, bytes] of this.#owedCredit ?? []) this.#yamux.consume(streamId, bytes);
    this.#owedCredit = undefined;
    this.#owner.onDrained();
    this.#flush();
  }

  /** Does what is due. */
  #check(): void {
    const now = this.#clock.monotonic();
    if (now >= this.#unread.cutOffAt) return this.#cutOff();
    if (now < (this.#yamux.nextWake() ?? Infinity)) return;
    this.#guard(() => {
      this.#yamux.tick(now);
      this.#dispatch(this.#yamux.takeEvents());
      this.#flush();
    });
  }

  #lost(): void {
    this.end(errorText(this.#socket.signal.reason), normalClose);
  }

  #cutOff(): void {
    this.end("peer does not read", normalClose);
  }

  /** Runs an action; an error of the session itself ends it. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.end(errorText(error), normalClose);
    }
  }
}

/** The stream has ended, perhaps in a pending event, which notifies its reader. */
function isOfEndedStream(error: unknown): boolean {
  if (!(error instanceof YamuxError)) return false;
  return error.code === "unknown-stream" || error.code === "stream-finished";
}
