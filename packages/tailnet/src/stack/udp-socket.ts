import { Mailbox } from "@slipway/runtime";

import type { Endpoint } from "./address.ts";

/** A datagram that was received, and the end of ours that it was sent to. */
export interface Datagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly payload: Uint8Array;
}

/** The stack as a socket needs it. */
export interface UdpSocketNeeds {
  /** Sends a datagram; throws `StackError` "datagram-too-large". */
  readonly send: (from: Endpoint, to: Endpoint, payload: Uint8Array) => void;
  readonly onClose: () => void;
}

/** Takes the datagrams to a port, and sends from it. Iterate to get them. Full, it drops what comes. */
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

  /** The number of datagrams that were dropped because they were not read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends a copy of `payload`. Throws `StackError` "datagram-too-large". */
  send(to: Endpoint, payload: Uint8Array, from: Endpoint = this.local): void {
    this.#needs.send(from, to, payload);
  }

  /** Takes a datagram; only the stack calls it. */
  offer(datagram: Datagram): void {
    if (this.#datagrams.offer(datagram) === "full") this.#dropped += 1;
  }

  /** Ends the iteration after the datagrams that are there. Idempotent. */
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
