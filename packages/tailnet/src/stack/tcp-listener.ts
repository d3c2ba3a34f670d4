import { Mailbox } from "@slipway/runtime";

import { PeerSets } from "./peer-sets.ts";
import type { Backlog, TcpLink } from "./tcp-link.ts";
import type { TcpStream } from "./tcp-stream.ts";

/**
 * Accepts the connections to a port. Iterate to get them; the recipient of a connection closes it. Half-open
 * connections and those not yet accepted share the backlog.
 */
export class TcpListener implements AsyncIterable<TcpStream>, Backlog {
  readonly port: number;
  readonly #backlog: number;
  readonly #onClose: () => void;
  readonly #streams: Mailbox<TcpStream>;
  readonly #halfOpen = new PeerSets<TcpLink>();

  constructor(port: number, backlog: number, onClose: () => void) {
    this.port = port;
    this.#backlog = backlog;
    this.#onClose = onClose;
    this.#streams = new Mailbox(backlog);
  }

  /** The number of waiting connections, half-open or not yet accepted. */
  get waiting(): number {
    return this.#halfOpen.size + this.#streams.size;
  }

  /**
   * Returns true if there is room for another connection. A full backlog gives up, by `drop`, the oldest half-open
   * connection of the peer that has the most, so that a flood from one peer does not shut out others.
   */
  hasRoom(drop: (link: TcpLink) => void): boolean {
    if (this.waiting < this.#backlog) return true;
    const victim = this.#halfOpen.oldestOfBusiest();
    if (victim === undefined) return false;
    drop(victim);
    return true;
  }

  /** Counts a half-open connection. */
  add(link: TcpLink): void {
    this.#halfOpen.add(link.remote.address, link);
  }

  /** Offers a connection whose handshake is complete. */
  offer(link: TcpLink): void {
    this.forget(link);
    if (this.#streams.offer(link.stream) !== "taken") link.stream.abort();
  }

  /** Forgets a half-open connection that has ended. */
  forget(link: TcpLink): void {
    this.#halfOpen.remove(link.remote.address, link);
  }

  /** Ends the iteration after the connections that are ready; half-open ones end. Idempotent. */
  close(): void {
    this.#onClose();
    for (const link of this.#halfOpen.list()) link.stream.abort();
    this.#halfOpen.clear();
    this.#streams.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<TcpStream> {
    return this.#streams[Symbol.asyncIterator]();
  }
}
