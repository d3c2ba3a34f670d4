import type { Duplex } from "node:stream";

import type { Connection } from "ssh2";

import { isExchangingKeys } from "./ssh2.ts";

/** The bytes that may wait in a connection before we stop reading what its client sends: answers pile up otherwise. */
const maxUnsentBytes = 1024 * 1024;

/** The one place where all channels of a connection wait until its client has read what was sent, and has new keys. */
export class ConnectionOutput {
  readonly #client: Connection;
  readonly #socket: Duplex;
  readonly #waiting = new Set<() => void>();

  constructor(client: Connection, socket: Duplex) {
    this.#client = client;
    this.#socket = socket;
    const wake = (): void => {
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const resolve of waiting) resolve();
    };
    socket.on("drain", () => {
      socket.resume();
      wake();
    });
    socket.once("close", wake);
    client.on("handshake", wake);
    socket.on("data", () => {
      if (socket.writableNeedDrain && socket.writableLength > maxUnsentBytes) socket.pause();
    });
  }

  /** True if what is written must wait. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain || isExchangingKeys(this.#client);
  }

  /** Resolves once there is room, or the connection is closed. */
  async room(): Promise<void> {
    while (this.isFull && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }
}
