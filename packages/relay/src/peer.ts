import { maxRememberedDestinations } from "./limits.ts";

/** A connection of a peer, as the directory sees it. */
export interface PeerConnection {
  /** Sends a frame ahead of packets; a client with too many waiting misses it. */
  notify(frame: Uint8Array): void;
  /** Closes it in favor of newer connections of its key. */
  evict(): void;
}

/** A key with its connections. */
export class Peer<C extends PeerConnection> {
  readonly key: Uint8Array;
  readonly keyText: string;
  /** The names of its flows in the queues of others: messages about paths do not wait behind data. */
  readonly flowKey: string;
  readonly discoFlowKey: string;
  /** In the order of their last frame; the last one receives packets (docs/protocol/tailnet.md §4.7). */
  readonly connections: C[] = [];
  /** The peers that it has sent packets to, some of which may be gone. */
  readonly #destinations = new Set<Peer<C>>();
  /** The size at which those that are gone are forgotten. */
  #pruneAt = 64;
  /** The number of peers that it may remember. */
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

  /** Moves a connection to the end, as it has sent a frame. */
  activate(connection: C): void {
    if (this.connections.at(-1) === connection) return;
    this.connections.splice(this.connections.indexOf(connection), 1);
    this.connections.push(connection);
  }

  /** Remembers a destination if there is room; returns by how many it remembers more then, or fewer. */
  rememberDestination(peer: Peer<C>): number {
    const before = this.#destinations.size;
    if (before >= this.#pruneAt) this.#prune();
    if (this.#destinations.size < this.maxDestinations) this.#destinations.add(peer);
    return this.#destinations.size - before;
  }

  /** The number of peers that it remembers. */
  get destinationCount(): number {
    return this.#destinations.size;
  }

  /** The peers to tell that this one is gone. */
  destinations(): Iterable<Peer<C>> {
    return this.#destinations;
  }

  #prune(): void {
    for (const peer of this.#destinations) if (peer.isGone) this.#destinations.delete(peer);
    this.#pruneAt = Math.max(64, this.#destinations.size * 2);
  }
}
