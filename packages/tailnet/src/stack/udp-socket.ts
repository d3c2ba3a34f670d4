import { Mailbox } from "@slipway/runtime";

import type { Endpoint } from "./address.ts";

/** A received datagram, and the local end that it was sent to. */
export interface Datagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly payload: Uint8Array;
}

/** The parts of the stack that a socket needs. */
export interface UdpSocketNeeds {
  /** Sends a datagram; throws `StackError` "datagram-too-large". */
  readonly send: (from: Endpoint, to: Endpoint, payload: Uint8Array) => void;
  readonly onClose: () => void;
}

/** Receives the datagrams to a port, and sends from it. Iterate to get them. A full socket drops further datagrams. */
export class UdpSocket implements AsyncIterable<Datagram>, Disposable {
  readonly local: Endpoint;
  readonly #needs: UdpSocketNeeds;
  readonly #datagrams: Mailbox<Datagram>;
  #dropped = 0;

  constructor(local: Endpoint, maxDatagrams: number, needs: UdpSocketNeeds) {
    this.local = local;
    this.#needs = needs;
    this.#datagrams = new Mailbox(maxDatagrams);
  }

  /** The number of datagrams dropped because they were not read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends a copy of `payload`. Throws `StackError` "datagram-too-large". */
  send(to: Endpoint, payload: Uint8Array, from: Endpoint = this.local): void {
    this.#needs.send(from, to, payload);
  }

  /** Handles a datagram; only the stack calls it. */
  offer(datagram: Datagram): void {
    if (this.#datagrams.offer(datagram) === "full") this.#dropped += 1;
  }

  /** Ends the iteration after the datagrams that are ready. Idempotent. */
  close(): void {
    this.#needs.onClose();
    this.#datagrams.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Datagram> {
    return this.#datagrams[Symbol.asyncIterator]();
  }
}
