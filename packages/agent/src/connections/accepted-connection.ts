import type { Duplex } from "node:stream";

/**
 * A connection of a peer of the network to one of the agent's ports. The network has authenticated the peer. The service
 * that accepts it destroys it.
 */
export interface AcceptedConnection extends Duplex {
  /** The peer's address, without a port. */
  readonly remoteAddress?: string | undefined;
}

/** A service on a port of the network. */
export interface Service {
  readonly accept: (connection: AcceptedConnection) => void;
}

/** The keep-alive of TCP connections with peers (docs/protocol/tailnet.md §7.1). */
export const keepAlive = { idleMs: 2 * 3_600_000, intervalMs: 75_000, probes: 9 } as const;

/** The time within which a peer must read some of the written data, and end its side once it has read everything. */
const lingerMs = 60_000;

/** Ends a connection after all written data. A peer that stops reading, or does not end its side, is disconnected. */
export function endConnection(connection: AcceptedConnection): void {
  if (connection.destroyed) return;
  connection.end();
  connection.resume();
  let left = connection.writableLength;
  const look = setInterval(() => {
    const isSlow = connection.writableLength < left;
    left = connection.writableLength;
    if (!isSlow) connection.destroy();
  }, lingerMs);
  look.unref();
  connection.once("close", () => clearInterval(look));
}
