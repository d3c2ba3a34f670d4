import type { Ipv6Header } from "@slipway/wire/ip/ipv6";
import type { TcpConnection } from "@slipway/wire/tcp/connection";

import type { Sleeper } from "../timing/wake-queue.ts";
import type { Endpoint } from "./address.ts";
import type { ConnectionEntry } from "./connection-table.ts";
import type { TcpStream } from "./tcp-stream.ts";

/** The holder of connections that have not completed their handshake. */
export interface Backlog {
  /** Offers a connection whose handshake is complete. */
  offer(link: TcpLink): void;
  /** Forgets a connection that has ended before. */
  forget(link: TcpLink): void;
}

/** A TCP connection with its addresses and the stack's bookkeeping. */
export class TcpLink implements ConnectionEntry, Sleeper {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly connection: TcpConnection;
  readonly stream: TcpStream;
  /** The header of all its packets. */
  readonly header: Ipv6Header;
  /** The listener that counts it until its handshake is complete. */
  backlog: Backlog | undefined;
  /** The last recorded bytes of memory that it holds. */
  notedBytes = 0;
  /** True while it waits to be processed. */
  isDirty = false;
  /** True once the stack has forgotten it: later calls of its user must not affect others. */
  isRemoved = false;
  queueIndex = -1;
  queuedFor = 0;

  constructor(connection: TcpConnection, stream: TcpStream, header: Ipv6Header) {
    this.connection = connection;
    this.stream = stream;
    this.local = stream.local;
    this.remote = stream.remote;
    this.header = header;
  }
}
