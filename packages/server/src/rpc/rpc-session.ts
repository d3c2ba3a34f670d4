import { type Clock, errorText, type Logger } from "@slipway/runtime";
import { type YamuxEvent, YamuxSession } from "@slipway/wire";

import { messageBytes, type PeerSocket } from "../http/peer-socket.ts";
import type { RpcHandlers } from "./handler.ts";
import { type HandlerSlots, RpcCalls } from "./rpc-call.ts";

interface RpcSessionNeeds {
  readonly clock: Clock;
  /** Asked for when there is something to say. */
  readonly logger: Logger;
}

/** Bytes that may wait in the socket for a peer that does not read; more ends the session. */
const maxBufferedBytes = 16 * 1024 * 1024;
/** Bytes that all calls together may have waiting, for the rest of a message or for a handler: four of the largest. */
const maxWaitingBytes = 16 * 1024 * 1024;
/** A call that has fewer waiting is not looked at. */
const fewWaitingBytes = 256 * 1024;
/** Handlers that may run at once: twice as many as there are streams. */
const maxHandlers = 512;

/** Timers of the same length share a list in Node.js; a keep-alive may be late by this much. */
const timerStepMs = 1_000;

/**
 * The server's side of an agent's session: yamux over a WebSocket, a DRPC call on each stream (`rpc.md` sections 1 to 3).
 * Ends with the socket; whoever opened it waits for `ended`.
 */
export class RpcSession {
  readonly #socket: PeerSocket;
  readonly #handlers: RpcHandlers;
  readonly #needs: RpcSessionNeeds;
  readonly #yamux = new YamuxSession("server");
  readonly #calls = new Map<number, RpcCalls>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #pongs = new Map<number, () => void>();
  readonly #slots = handlerSlots(maxHandlers);
  #isFlushQueued = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer wakes us. */
  #wakeAt = Infinity;

  constructor(socket: PeerSocket, handlers: RpcHandlers, needs: RpcSessionNeeds) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#needs = needs;
    socket.raw.on("message", (data, isBinary) => {
      if (!isBinary) return this.#end("text message on a binary stream", 1003);
      this.#guard(() => this.#take(this.#yamux.receive(messageBytes(data), this.#now())));
    });
    socket.signal.addEventListener("abort", () => this.#end("connection closed", 1000), {
      once: true,
    });
    this.#arm();
  }

  /** Resolves with the reason once the session is over; never rejects. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** Sends a yamux ping and tells when the peer answers it. */
  ping(onPong: () => void): void {
    this.#guard(() => {
      this.#pongs.set(this.#yamux.ping(this.#now()), onPong);
      this.#flush();
    });
  }

  /** Ends the session; the peer sees a close with 1000 (`rpc.md` section 1.3). */
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
          // The caller has what it wants, or wants it no more; our FIN follows its own.
          this.#calls.get(event.streamId)?.cancel();
          this.#yamux.finish(event.streamId);
          break;
        case "reset":
        case "closed":
          this.#calls.get(event.streamId)?.cancel();
          this.#calls.delete(event.streamId);
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
      slots: this.#slots,
      write: (bytes) => {
        // A call that ends late may outlive its stream.
        if (!this.#calls.has(streamId)) return;
        this.#guard(() => this.#yamux.write(streamId, bytes));
        this.#flush();
      },
      reset: () => this.#resetStream(streamId),
    });
  }

  #receive(streamId: number, bytes: Uint8Array): void {
    try {
      const call = this.#calls.get(streamId);
      call?.receive(bytes);
      if (call !== undefined && call.waitingBytes > fewWaitingBytes) this.#boundWaiting();
    } catch (error) {
      this.#needs.logger.debug({ error: errorText(error) }, "call cut off");
      this.#resetStream(streamId);
      return;
    }
    if (this.#calls.has(streamId)) this.#yamux.consume(streamId, bytes.length);
  }

  /** Throws when too much waits: the call that asked for it is cut off. */
  #boundWaiting(): void {
    let bytes = 0;
    for (const call of this.#calls.values()) bytes += call.waitingBytes;
    if (bytes > maxWaitingBytes) {
      throw new RangeError(`${bytes} bytes wait in all calls, at most ${maxWaitingBytes} may`);
    }
  }

  #resetStream(streamId: number): void {
    this.#calls.get(streamId)?.cancel();
    this.#calls.delete(streamId);
    this.#yamux.reset(streamId);
    this.#flush();
  }

  /** Everything that was written in one turn goes out as one message. */
  #flush(): void {
    if (this.#isFlushQueued) return;
    this.#isFlushQueued = true;
    queueMicrotask(() => {
      this.#isFlushQueued = false;
      const output = this.#yamux.takeOutput();
      if (output === undefined || this.#socket.signal.aborted) return;
      if (this.#socket.raw.bufferedAmount > maxBufferedBytes)
        return this.#end("peer does not read", 1000);
      this.#socket.raw.send(output);
      this.#arm();
    });
  }

  #arm(): void {
    const wake = this.#yamux.nextWake() ?? Infinity;
    // A timer that wakes us too early does no harm; most writes change nothing.
    if (wake >= this.#wakeAt || this.#socket.signal.aborted) return;
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, Math.ceil((wake - this.#now()) / timerStepMs) * timerStepMs);
    this.#wakeAt = this.#now() + delayMs;
    this.#timer = setTimeout(() => this.#wake(), delayMs);
  }

  #wake(): void {
    this.#wakeAt = Infinity;
    this.#guard(() => {
      this.#yamux.tick(this.#now());
      this.#take(this.#yamux.takeEvents());
    });
    this.#arm();
  }

  /** An error of the session itself ends it. */
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
    for (const calls of this.#calls.values()) calls.cancel();
    this.#calls.clear();
    this.#socket.close(code, "");
  }
}

function handlerSlots(count: number): HandlerSlots {
  let left = count;
  return {
    take: () => {
      if (left === 0) return false;
      left -= 1;
      return true;
    },
    free: () => void (left += 1),
  };
}
