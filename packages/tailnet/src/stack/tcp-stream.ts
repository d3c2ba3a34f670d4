import { abortable } from "@slipway/runtime";
import type { TcpConnection } from "@slipway/wire/tcp/connection";
import type { TcpError, TcpEvent } from "@slipway/wire/tcp/events";
import type { KeepAliveOptions } from "@slipway/wire/tcp/probe-timers";

import type { Endpoint } from "./address.ts";
import { StackError } from "./errors.ts";

/** The parts of the stack that a stream needs. */
export interface StreamNeeds {
  /** The monotonic time. */
  readonly now: () => number;
  /** Sends what the connection has to send, soon. */
  readonly touch: () => void;
}

/**
 * A TCP connection with promises. Each direction has one reader or writer at a time. Its owner closes it, or holds it
 * with `await using`.
 */
export class TcpStream implements AsyncDisposable {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #connection: TcpConnection;
  readonly #needs: StreamNeeds;
  #change = Promise.withResolvers<void>();
  #hasWaiter = false;
  #isPeerFinished = false;
  #isFinished = false;
  #end: { readonly error: TcpError | undefined } | undefined;
  readonly #connected = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  constructor(local: Endpoint, remote: Endpoint, connection: TcpConnection, needs: StreamNeeds) {
    this.local = local;
    this.remote = remote;
    this.#connection = connection;
    this.#needs = needs;
    // Only the opener waits for the connection; a failure concerns no one else.
    this.#connected.promise.catch(() => undefined);
  }

  /** Resolves when the handshake is complete; rejects with a `TcpError` if it failed. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Resolves when the connection is over, however it ended. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** The error that ended the connection; undefined while it is open, and if both ends have finished. */
  get failure(): TcpError | undefined {
    return this.#end?.error;
  }

  /** The smoothed round-trip time; undefined before the first measurement. */
  get rttMs(): number | undefined {
    return this.#connection.rttMs;
  }

  /**
   * Waits for the next bytes, and consumes them; `undefined` after the last. The bytes may be kept. Throws `TcpError` if the
   * connection failed.
   */
  async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.readNow();
      if (bytes !== "later") return bytes;
      await abortable(this.changed(), signal);
    }
  }

  /** Does what `read` does, but returns "later" where `read` would wait for `changed`. */
  readNow(): Uint8Array | undefined | "later" {
    const bytes = this.#connection.peek();
    if (bytes !== undefined) {
      this.#connection.consume(bytes.length, this.#needs.now());
      this.#needs.touch();
      return bytes;
    }
    if (this.#isPeerFinished) return undefined;
    if (this.#end?.error !== undefined) throw this.#end.error;
    return this.#end === undefined ? "later" : undefined;
  }

  /**
   * Writes all of `bytes`, which are copied, and waits while there is no room. Throws `TcpError` if the connection failed,
   * `StackError` "stream-finished" after `finish` or `close`.
   */
  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      rest = rest.subarray(this.writeNow(rest));
      if (rest.length > 0) await abortable(this.changed(), signal);
    }
  }

  /** Writes as many bytes as there is room for, without waiting, and returns their number. */
  writeNow(bytes: Uint8Array): number {
    if (this.#end?.error !== undefined) throw this.#end.error;
    if (this.#isFinished || this.#end !== undefined) {
      throw new StackError("stream-finished", "write after finish");
    }
    const taken = this.#connection.write(bytes, this.#needs.now());
    if (taken > 0) this.#needs.touch();
    return taken;
  }

  /** Resolves at the next event, of either direction: bytes to read, room to write, or an end. */
  changed(): Promise<void> {
    this.#hasWaiter = true;
    return this.#change.promise;
  }

  /** Ends the direction to the peer after the written data. Reading continues. */
  finish(): void {
    this.#isFinished = true;
    this.#connection.finish(this.#needs.now());
    this.#needs.touch();
  }

  /** Ends the connection: written data is still sent, incoming data is refused. Idempotent. */
  close(): void {
    this.#isFinished = true;
    this.#connection.close(this.#needs.now());
    this.#needs.touch();
  }

  /** Resets the connection immediately. */
  abort(): void {
    this.#isFinished = true;
    this.#connection.abort();
    this.#needs.touch();
  }

  /** Probes an idle peer; `undefined` turns that off. */
  setKeepAlive(options: KeepAliveOptions | undefined): void {
    this.#connection.setKeepAlive(options, this.#needs.now());
    this.#needs.touch();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Handles an event of the connection; only the stack calls it. */
  notify(event: TcpEvent): void {
    if (event.type === "connected") this.#connected.resolve();
    if (event.type === "finished") this.#isPeerFinished = true;
    if (event.type === "closed") {
      this.#end = { error: event.error };
      this.#closed.resolve();
      this.#connected.reject(event.error);
    }
    if (!this.#hasWaiter) return;
    this.#hasWaiter = false;
    const change = this.#change;
    this.#change = Promise.withResolvers();
    change.resolve();
  }
}
