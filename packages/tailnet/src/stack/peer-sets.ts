/** Things by the address of the peer that they are of, oldest first. */
export class PeerSets<T> {
  readonly #byPeer = new Map<string, Set<T>>();
  #size = 0;

  /** The number of things of all peers. */
  get size(): number {
    return this.#size;
  }

  /** Returns the number of things of one peer. */
  count(address: Uint8Array): number {
    return this.#byPeer.get(keyOf(address))?.size ?? 0;
  }

  /** Returns the things of one peer as they are now. */
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

  /** Removes a thing, if it is there. */
  remove(address: Uint8Array, item: T): void {
    const key = keyOf(address);
    const items = this.#byPeer.get(key);
    if (items?.delete(item) !== true) return;
    this.#size -= 1;
    if (items.size === 0) this.#byPeer.delete(key);
  }

  /** Returns the oldest thing of the peer that has most. */
  oldestOfBusiest(): T | undefined {
    let busiest: ReadonlySet<T> = new Set();
    for (const items of this.#byPeer.values()) if (items.size > busiest.size) busiest = items;
    const [oldest] = busiest;
    return oldest;
  }

  /** Returns all things as they are now. */
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
