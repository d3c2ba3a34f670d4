import type { TcpLink } from "./tcp-link.ts";

/** The memory that the connections of one peer hold. */
interface PeerShare {
  readonly links: Set<TcpLink>;
  bytes: number;
}

/**
 * The memory that the data of all connections occupies. Limits per connection bound nothing if there may be
 * thousands, and a segment of one byte occupies a whole block until it is read or acknowledged.
 */
export class TcpMemory {
  readonly #maxBytes: number;
  readonly #shares = new Map<string, PeerShare>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Records what a connection holds now; returns true if all together hold too much. */
  note(link: TcpLink): boolean {
    const { heldBytes } = link.connection;
    if (heldBytes !== link.notedBytes) this.#change(link, heldBytes);
    return this.#bytes > this.#maxBytes;
  }

  /** Forgets a connection. */
  forget(link: TcpLink): void {
    if (link.notedBytes > 0) this.#change(link, 0);
  }

  /** Returns the largest connection of the peer whose connections hold most. */
  largest(): TcpLink | undefined {
    let most: PeerShare | undefined;
    for (const share of this.#shares.values()) {
      if (share.bytes > (most?.bytes ?? 0)) most = share;
    }
    let largest: TcpLink | undefined;
    for (const link of most?.links ?? []) {
      if (link.notedBytes > (largest?.notedBytes ?? 0)) largest = link;
    }
    return largest;
  }

  #change(link: TcpLink, bytes: number): void {
    const key = String.fromCharCode(...link.remote.address);
    const share = this.#shares.get(key) ?? { links: new Set(), bytes: 0 };
    const gained = bytes - link.notedBytes;
    link.notedBytes = bytes;
    this.#bytes += gained;
    share.bytes += gained;
    if (bytes === 0) share.links.delete(link);
    else share.links.add(link);
    if (share.links.size === 0) this.#shares.delete(key);
    else this.#shares.set(key, share);
  }
}
