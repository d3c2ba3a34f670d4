/** Items grouped by the address of their peer, oldest first. */
export class PeerSets<T> {
  readonly #byPeer = new Map<string, Set<T>>();
  #size = 0;

  /** The number of items of all peers. */
  get size(): number {
    return this.#size;
  }

  /** Returns the number of items of one peer. */
  count(address: Uint8Array): number {
    return this.#byPeer.get(keyOf(address))?.size ?? 0;
  }

  /** Returns a snapshot of the items of one peer. */
  of(address: Uint8Array): readonly T[] {
    return [...(this.#byPeer.get(keyOf(address)) ?? [])];
  }

  add(address: Uint8Array, item: T): void {
    const key = keyOf(address);
    const items = this.#byPeer.get(key);
    if (items === undefined) this.#byPeer.set(key, new Set([item]));
    else items.add(item);
    this.#size += 1;
  }

  /** Removes an item, if it is present. */
  remove(address: Uint8Array, item: T): void {
    const key = keyOf(address);
    const items = this.#byPeer.get(key);
    if (items?.delete(item) !== true) return;
    this.#size -= 1;
    if (items.size === 0) this.#byPeer.delete(key);
  }

  /** Returns the oldest item of the peer that has the most. */
  oldestOfBusiest(): T | undefined {
    let busiest: ReadonlySet<T> = new Set();
    for (const items of this.#byPeer.values()) if (items.size > busiest.size) busiest = items;
    const [oldest] = busiest;
    return oldest;
  }

  /** Returns a snapshot of all items. */
  list(): readonly T[] {
    const all: T[] = [];
    for (const items of this.#byPeer.values()) all.push(...items);
    return all;
  }

  clear(): void {
    this.#byPeer.clear();
    this.#size = 0;
  }
}

function keyOf(address: Uint8Array): string {
  return String.fromCharCode(...address);
}
