import { type Clock, errorText, type Logger, Turnstile } from "@slipway/runtime";
import { type YamuxEvent, YamuxSession } from "@slipway/wire";

import { messageBytes, type PeerSocket } from "../http/peer-socket.ts";
import type { RpcHandlers } from "./handler.ts";
import { RpcCalls } from "./rpc-call.ts";
import { sessionLimits as limits } from "./session-limits.ts";
import { UnreadOutput } from "./unread-output.ts";

interface RpcSessionNeeds {
  readonly clock: Clock;
  /** Read only when there is something to log. */
  readonly logger: Logger;
}

/** State shared by all sessions of one peer. */
export interface SharedCalls {
  /** The turnstile of all calls. */
  readonly turnstile: Turnstile;
  /** Reserves the given number of bytes of the peer's rate, and returns the milliseconds to wait before using them. */
  readonly reserve: (bytes: number) => number;
}

/**
 * The granularity of timers: those of the same length share a list in Node.js. A keep-alive may be late by this much.
 */
const timerStepMs = 1_000;

/**
 * The server's side of an agent's session: yamux over a WebSocket, a DRPC call on each stream (docs/protocol/rpc.md §1
 * to §3). Ends with the socket; the opener waits for `ended`.
 *
 * A peer that does not read its answers gets no others (backpressure): its calls wait, it gets no credit for more of
 * them, and after a while it is disconnected.
 */
export class RpcSession {
  readonly #socket: PeerSocket;
  readonly #handlers: RpcHandlers;
  readonly #needs: RpcSessionNeeds;
  readonly #yamux = new YamuxSession("server");
  readonly #calls = new Map<number, RpcCalls>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #pongs = new Map<number, () => void>();
  readonly #unread: UnreadOutput;
  readonly #turnstile: Turnstile;
  readonly #shared: SharedCalls;
  /** Credit to return when the peer reads again, by stream; created on demand. */
  #owedCredit: Map<number, number> | undefined;
  #streamingCalls = 0;
  /** Bytes of requests that wait for their remaining parts or for their answer. */
  #heldBytes = 0;
  #isFlushQueued = false;
  #timer: NodeJS.Timeout | undefined;
  /** The time at which the timer fires. */
  #wakeAt = Infinity;

  constructor(
    socket: PeerSocket,
    handlers: RpcHandlers,
    shared: SharedCalls,
    needs: RpcSessionNeeds,
  ) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#shared = shared;
    this.#needs = needs;
    this.#unread = new UnreadOutput(socket.raw, this.#yamux, {
      flush: () => this.#flush(),
      drained: () => this.#drained(),
    });
    this.#turnstile = new Turnstile(
      (inside) => inside < limits.maxCallsAtOnce && !this.#unread.isTooMuch,
    );
    socket.raw.on("message", (data, isBinary) => {
      if (!isBinary) return this.#end("text message on a binary stream", 1003);
      this.#guard(() => this.#take(this.#yamux.receive(messageBytes(data), this.#now())));
    });
    socket.signal.addEventListener("abort", () => this.#end("connection closed", 1000), {
      once: true,
    });
    this.#arm();
  }

  /** Resolves to the reason once the session is over; never rejects. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** Sends a yamux ping; calls `onPong` when the peer answers. */
  ping(onPong: () => void): void {
    this.#guard(() => {
      this.#pongs.set(this.#yamux.ping(this.#now()), onPong);
      this.#flush();
    });
  }

  /** Ends the session; the peer receives a close with 1000 (docs/protocol/rpc.md §1.3). */
  close(reason: string): void {
    this.#end(reason, 1000);
  }

  #now(): number {
    return this.#needs.clock.monotonic();
  }

  #take(events: readonly YamuxEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case "opened":
          this.#calls.set(event.streamId, this.#openCalls(event.streamId));
          break;
        case "data":
          this.#receive(event.streamId, event.bytes);
          break;
        case "finished":
          // The caller has its answer, or no longer wants it; our FIN follows its own.
          this.#calls.get(event.streamId)?.cancel();
          this.#yamux.finish(event.streamId);
          break;
        case "reset":
        case "closed":
          this.#forget(event.streamId);
          break;
        case "pong":
          this.#pongs.get(event.id)?.();
          this.#pongs.delete(event.id);
          break;
        case "accepted":
        case "writable":
        case "go-away":
          break;
      }
    }
    this.#flush();
  }

  #openCalls(streamId: number): RpcCalls {
    return new RpcCalls({
      handlers: this.#handlers,
      session: this.#needs,
      inTurn: (signal, bytes, answer) =>
        this.#turnstile.run(signal, () =>
          this.#shared.turnstile.run(signal, async () => {
            await this.#pace(signal, bytes);
            return answer();
          }),
        ),
      pace: (signal, bytes) => this.#pace(signal, bytes),
      streams: {
        open: () => {
          if (this.#streamingCalls >= limits.maxStreamingCalls) return false;
          this.#streamingCalls += 1;
          return true;
        },
        close: () => void (this.#streamingCalls -= 1),
      },
      hold: (bytes) => void (this.#heldBytes += bytes),
      write: (bytes) => {
        // A call that ends late may outlive its stream.
        if (!this.#calls.has(streamId)) return;
        this.#guard(() => this.#yamux.write(streamId, bytes));
        this.#unread.wrote(bytes.length, this.#now());
        this.#flush();
      },
      drained: (signal) => this.#unread.drained(signal),
      reset: () => this.#resetStream(streamId),
    });
  }

  #pace(signal: AbortSignal, bytes: number): Promise<void> | undefined {
    const waitMs = this.#shared.reserve(Math.max(bytes, limits.minMessageCost));
    return waitMs === 0 ? undefined : this.#needs.clock.sleep(waitMs, signal);
  }

  #receive(streamId: number, bytes: Uint8Array): void {
    try {
      this.#calls.get(streamId)?.receive(bytes);
      const held = this.#heldBytes;
      if (held > limits.maxHeldBytes) {
        throw new RangeError(`${held} bytes of requests wait, at most ${limits.maxHeldBytes} may`);
      }
    } catch (error) {
      this.#needs.logger.debug({ error: errorText(error) }, "call cut off");
      this.#resetStream(streamId);
      return;
    }
    if (!this.#calls.has(streamId)) return;
    if (!this.#unread.isTooMuch) return this.#yamux.consume(streamId, bytes.length);
    this.#owedCredit ??= new Map();
    this.#owedCredit.set(streamId, (this.#owedCredit.get(streamId) ?? 0) + bytes.length);
  }

  /** Lets the peer call again once it has read enough. */
  #drained(): void {
    for (const [streamId, bytes] of this.#owedCredit ?? []) this.#yamux.consume(streamId, bytes);
    this.#owedCredit = undefined;
    this.#turnstile.advance();
    this.#flush();
  }

  #forget(streamId: number): void {
    this.#calls.get(streamId)?.close();
    this.#calls.delete(streamId);
    this.#owedCredit?.delete(streamId);
  }

  #resetStream(streamId: number): void {
    this.#forget(streamId);
    this.#yamux.reset(streamId);
    this.#flush();
  }

  /** Sends everything written in one turn as one message. */
  #flush(): void {
    if (this.#isFlushQueued) return;
    this.#isFlushQueued = true;
    queueMicrotask(() => {
      this.#isFlushQueued = false;
      if (this.#socket.signal.aborted) return;
      this.#unread.flush(this.#now());
      this.#arm();
    });
  }

  #arm(): void {
    const wake = Math.min(this.#yamux.nextWake() ?? Infinity, this.#unread.cutOffAt);
    // A timer that fires too early is harmless; most writes change nothing.
    if (wake >= this.#wakeAt || this.#socket.signal.aborted) return;
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, Math.ceil((wake - this.#now()) / timerStepMs) * timerStepMs);
    this.#wakeAt = this.#now() + delayMs;
    this.#timer = setTimeout(() => this.#wake(), delayMs);
  }

  #wake(): void {
    this.#wakeAt = Infinity;
    if (this.#now() >= this.#unread.cutOffAt) return this.#end("peer does not read", 1000);
    this.#guard(() => {
      this.#yamux.tick(this.#now());
      this.#take(this.#yamux.takeEvents());
    });
    this.#arm();
  }

  /** Runs an action; an error of the session itself ends it. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#end(errorText(error), 1000);
    }
  }

  #end(reason: string, code: number): void {
    clearTimeout(this.#timer);
    this.#ended.resolve(reason);
    for (const calls of this.#calls.values()) calls.close();
    this.#calls.clear();
    this.#socket.close(code, "");
  }
}
