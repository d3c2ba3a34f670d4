import { readUint32 } from "../bytes/integers.ts";

const indexBytes = 4;

/** The indices by which peers address our handshakes and sessions: random, so that they cannot be guessed. */
export class IndexTable<T> {
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #entries = new Map<number, T>();

  constructor(randomBytes: (length: number) => Uint8Array) {
    this.#randomBytes = randomBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(index: number): T | undefined {
    return this.#entries.get(index);
  }

  /** Adds an entry, and returns its index. */
  add(entry: T): number {
    for (;;) {
      const index = readUint32(this.#randomBytes(indexBytes), 0);
      if (this.#entries.has(index)) continue;
      this.#entries.set(index, entry);
      return index;
    }
  }

  /** Replaces the entry of an index. */
  set(index: number, entry: T): void {
    this.#entries.set(index, entry);
  }

  remove(index: number): void {
    this.#entries.delete(index);
  }
}
