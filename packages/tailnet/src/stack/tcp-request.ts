import type { Endpoint } from "./address.ts";
import type { ConnectionEntry } from "./connection-table.ts";
import type { TcpStream } from "./tcp-stream.ts";

/**
 * A SYN to a port without a listener, not yet answered: the recipient decides whether to accept the connection, for
 * example after connecting somewhere else.
 */
export class TcpRequest implements ConnectionEntry {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #accept: () => TcpStream | undefined;
  readonly #refuse: () => void;

  constructor(
    local: Endpoint,
    remote: Endpoint,
    accept: () => TcpStream | undefined,
    refuse: () => void,
  ) {
    this.local = local;
    this.remote = remote;
    this.#accept = accept;
    this.#refuse = refuse;
  }

  /**
   * Answers the SYN. Data may be read and written once the peer has completed the handshake; `undefined` if it is too
   * late.
   */
  accept(): TcpStream | undefined {
    return this.#accept();
  }

  /** Answers the SYN with a RST. */
  refuse(): void {
    this.#refuse();
  }
}
