import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

interface Answered {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

const pollMs = 20;

/** The connections of this process on which a reinit stream is open, beneath their waiters. */
export class ReinitSockets {
  readonly #open = new Set<Socket>();
  /** The times at which streams were opened since the last cut, by `performance.now`. */
  #openedAt: number[] = [];

  constructor() {
    subscribe("http.client.response.finish", (message) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's message on this channel
      const { request, response } = message as Answered;
      if (!request.path.includes("/reinit") || response.statusCode !== 200) return;
      const { socket } = response;
      this.#openedAt.push(performance.now());
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
    });
  }

  get count(): number {
    return this.#open.size;
  }

  /** Waits until this many are open. */
  async until(count: number): Promise<void> {
    while (this.#open.size < count) await pause(pollMs);
  }

  /** Cuts all at once; resolves, when as many are open again, to the time that each took, in milliseconds. */
  async cut(): Promise<readonly number[]> {
    const cut = [...this.#open];
    this.#openedAt = [];
    const cutAt = performance.now();
    for (const socket of cut) socket.destroy();
    while (this.#openedAt.length < cut.length) await pause(pollMs);
    return this.#openedAt.map((openedAt) => openedAt - cutAt);
  }
}
