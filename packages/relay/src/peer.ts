import { maxRememberedDestinations } from "./limits.ts";

/** A connection of a peer, as the directory uses it. */
export interface PeerConnection {
  /** Sends a frame ahead of packets; a client with too many waiting frames misses it. */
  notify(frame: Uint8Array): void;
  /** Closes it in favor of newer connections of its key. */
  evict(): void;
}

/** A key with its connections. */
export class Peer<C extends PeerConnection> {
  readonly key: Uint8Array;
  readonly keyText: string;
  /** The names of its flows in the queues of others: messages about paths must not wait behind data. */
  readonly flowKey: string;
  readonly discoFlowKey: string;
  /** In the order of their last frame; the last one receives packets (docs/protocol/tailnet.md §4.7). */
  readonly connections: C[] = [];
  /** The peers to which it has sent packets, some of which may be gone. */
  readonly #destinations = new Set<Peer<C>>();
  /** The size at which gone peers are forgotten. */
  #pruneAt = 64;
  /** The number of peers that may be recorded. */
  maxDestinations = maxRememberedDestinations;

  constructor(key: Uint8Array, keyText: string) {
    this.key = key;
    this.keyText = keyText;
    this.flowKey = keyText;
    this.discoFlowKey = `${keyText}disco`;
  }

  get isGone(): boolean {
    return this.connections.length === 0;
  }

  /** Moves a connection that has sent a frame to the end. */
  activate(connection: C): void {
    if (this.connections.at(-1) === connection) return;
    this.connections.splice(this.connections.indexOf(connection), 1);
    this.connections.push(connection);
  }

  /** Records a destination if there is room; returns the change in the number of recorded peers. */
  rememberDestination(peer: Peer<C>): number {
    const before = this.#destinations.size;
    if (before >= this.#pruneAt) this.#prune();
    if (this.#destinations.size < this.maxDestinations) this.#destinations.add(peer);
    return this.#destinations.size - before;
  }

  /** The number of recorded peers. */
  get destinationCount(): number {
    return this.#destinations.size;
  }

  /** Returns the peers to notify that this one is gone. */
  destinations(): Iterable<Peer<C>> {
    return this.#destinations;
  }

  #prune(): void {
    for (const peer of this.#destinations) if (peer.isGone) this.#destinations.delete(peer);
    this.#pruneAt = Math.max(64, this.#destinations.size * 2);
  }
}
