import type { Duplex } from "node:stream";

/**
 * A connection that a peer of the network has made to one of the agent's ports. The network has authenticated the peer.
 * Whoever takes it destroys it.
 */
export interface AcceptedConnection extends Duplex {
  /** The peer's address, without a port. */
  readonly remoteAddress?: string | undefined;
}

/** A service on a port of the network. */
export interface Service {
  readonly accept: (connection: AcceptedConnection) => void;
}
