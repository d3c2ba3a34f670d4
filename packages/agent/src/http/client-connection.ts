import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

export interface ConnectionTimes {
  /** The time for which an unused connection is kept, in milliseconds. */
  readonly keepAliveMs: number;
  /** The time after which a client whose bytes do not move is disconnected, in milliseconds. */
  readonly stalledMs: number;
}

/** A connection of a client: its idle time between requests, and the progress of streams. */
export class ClientConnection {
  readonly #connection: Duplex;
  readonly #times: ConnectionTimes;
  #receivedBytes = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(connection: Duplex, times: ConnectionTimes) {
    this.#connection = connection;
    this.#times = times;
    connection.on("data", ({ length }: Buffer) => {
      this.#receivedBytes += length;
    });
    connection.once("close", () => this.keep());
  }

  /** Keeps the connection open while a request is answered, and for a while afterwards. */
  began(response: ServerResponse): void {
    this.keep();
    response.once("close", () => {
      if (this.#connection.destroyed) return;
      this.#idle = setTimeout(() => this.#connection.destroy(), this.#times.keepAliveMs);
      this.#idle.unref();
    });
  }

  /** Keeps the connection for as long as its new owner uses it. */
  keep(): void {
    clearTimeout(this.#idle);
  }

  /** Disconnects a client that neither sends the body that is read nor reads its answer, until the signal. */
  watchProgress(request: IncomingMessage, signal: AbortSignal): void {
    const connection = this.#connection;
    let before = { received: this.#receivedBytes, unsent: 0 };
    const look = setInterval(() => {
      const now = { received: this.#receivedBytes, unsent: connection.writableLength };
      const isSending = !request.complete && request.readableLength === 0;
      const isSilent = isSending && now.received === before.received;
      const isUnread = now.unsent > 0 && now.unsent === before.unsent;
      if (isSilent || isUnread) connection.destroy();
      before = now;
    }, this.#times.stalledMs);
    look.unref();
    signal.addEventListener("abort", () => clearInterval(look), { once: true });
  }
}
