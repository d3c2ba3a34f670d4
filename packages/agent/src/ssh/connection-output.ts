import type { Duplex } from "node:stream";

/** The bytes that may wait in a connection before we stop reading what its client sends: answers pile up otherwise. */
const maxUnsentBytes = 1024 * 1024;

/** The one place where all channels of a connection wait until its client has read what was sent. */
export class ConnectionOutput {
  readonly #socket: Duplex;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Duplex) {
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
    socket.on("data", () => {
      if (socket.writableNeedDrain && socket.writableLength > maxUnsentBytes) socket.pause();
    });
  }

  /** Resolves once there is room, or the connection is closed. */
  async room(): Promise<void> {
    while (this.#socket.writableNeedDrain && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }
}
