import type { Ipv6Header } from "@slipway/wire/ip/ipv6";
import type { TcpConnection } from "@slipway/wire/tcp/connection";

import type { Sleeper } from "../timing/wake-queue.ts";
import type { Endpoint } from "./address.ts";
import type { ConnectionEntry } from "./connection-table.ts";
import type { TcpStream } from "./tcp-stream.ts";

/** The holder of connections whose handshake is not done. */
export interface Backlog {
  /** Takes a connection whose handshake is done. */
  offer(link: TcpLink): void;
  /** Forgets one that has ended before. */
  forget(link: TcpLink): void;
}

/** A TCP connection with its addresses and what the stack knows of it. */
export class TcpLink implements ConnectionEntry, Sleeper {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly connection: TcpConnection;
  readonly stream: TcpStream;
  /** The header of all its packets. */
  readonly header: Ipv6Header;
  /** The listener that counts it until its handshake is done. */
  backlog: Backlog | undefined;
  /** The bytes of memory that it is known to hold. */
  notedBytes = 0;
  /** True while it waits to be looked at. */
  isDirty = false;
  /** True once the stack has forgotten it: what its user calls then has no effect on others. */
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
