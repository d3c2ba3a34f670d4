import { type Clock, errorText, type Logger } from "@slipway/runtime";
import { type YamuxEvent, YamuxSession } from "@slipway/wire";

import { messageBytes, type PeerSocket } from "../http/peer-socket.ts";
import type { RpcHandlers } from "./handler.ts";
import { RpcCalls } from "./rpc-call.ts";

interface RpcSessionOptions {
  readonly handlers: RpcHandlers;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Bytes that may wait in the socket for a peer that does not read; more ends the session. */
const maxBufferedBytes = 16 * 1024 * 1024;

/**
 * The server's side of an agent's session: yamux over a WebSocket, a DRPC call on each stream (`rpc.md` sections 1 to 3).
 * Ends with the socket; whoever opened it waits for `ended`.
 */
export class RpcSession {
  readonly #socket: PeerSocket;
  readonly #options: RpcSessionOptions;
  readonly #yamux = new YamuxSession("server");
  readonly #calls = new Map<number, RpcCalls>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #pongs = new Map<number, () => void>();
  #isFlushQueued = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: PeerSocket, options: RpcSessionOptions) {
    this.#socket = socket;
    this.#options = options;
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

  /** Resolves when the peer answers a yamux ping; never, when it does not. */
  ping(): Promise<void> {
    return new Promise((resolve) => {
      this.#guard(() => {
        this.#pongs.set(this.#yamux.ping(this.#now()), resolve);
        this.#flush();
      });
    });
  }

  /** Ends the session; the peer sees a close with 1000 (`rpc.md` section 1.3). */
  close(reason: string): void {
    this.#end(reason, 1000);
  }

  #now(): number {
    return this.#options.clock.monotonic();
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
      handlers: this.#options.handlers,
      logger: this.#options.logger,
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
      this.#calls.get(streamId)?.receive(bytes);
    } catch (error) {
      this.#options.logger.debug({ error: errorText(error) }, "call cut off");
      this.#resetStream(streamId);
      return;
    }
    if (this.#calls.has(streamId)) this.#yamux.consume(streamId, bytes.length);
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
    const wake = this.#yamux.nextWake();
    clearTimeout(this.#timer);
    if (wake === undefined || this.#socket.signal.aborted) return;
    this.#timer = setTimeout(
      () => {
        this.#guard(() => {
          this.#yamux.tick(this.#now());
          this.#take(this.#yamux.takeEvents());
        });
        this.#arm();
      },
      Math.max(0, wake - this.#now()),
    );
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
