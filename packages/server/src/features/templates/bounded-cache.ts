interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
  readonly expiresAtMs: number;
}

export interface CacheBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** Keeps values by their keys for some time; of more than fit, those used last. */
export class BoundedCache<T> {
  readonly #bounds: CacheBounds;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry<T>>();
  #bytes = 0;

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds;
  }

  /** Finds a value that has not expired at `nowMs`, a monotonic time. */
  get(key: string, nowMs: number): T | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    this.#remove(key, found);
    if (found.expiresAtMs <= nowMs) return undefined;
    this.#add(key, found);
    return found.value;
  }

  /** Keeps a value of the given size; one that alone is too large is not kept. */
  set(key: string, { value, bytes }: Omit<Entry<T>, "expiresAtMs">, nowMs: number): void {
    const { maxEntries, maxBytes, maxAgeMs } = this.#bounds;
    const before = this.#entries.get(key);
    if (before !== undefined) this.#remove(key, before);
    if (bytes > maxBytes) return;
    this.#add(key, { value, bytes, expiresAtMs: nowMs + maxAgeMs });
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= maxEntries && this.#bytes <= maxBytes) return;
      this.#remove(oldest, entry);
    }
  }

  #add(key: string, entry: Entry<T>): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  #remove(key: string, entry: Entry<T>): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
