/** The number of counters below the highest that are tracked (docs/protocol/tailnet.md §5.5). */
export const replayWindow = 8128;
const wordBits = 32;
/** Room for the window and for the bits of its last words that lie outside it. */
const words = (replayWindow + 64) / wordBits;

/** The counters that have arrived: a ring of bits around the highest. */
export class ReplayWindow {
  readonly #bits = new Uint32Array(words);
  #highest = -1;

  /** Returns true if a counter has not arrived and is not too old. */
  isFresh(counter: number): boolean {
    if (counter > this.#highest) return true;
    if (this.#highest - counter >= replayWindow) return false;
    const word = this.#bits[Math.floor(counter / wordBits) % words] ?? 0;
    return ((word >>> (counter % wordBits)) & 1) === 0;
  }

  /** Marks a fresh counter as arrived, once its message has proved to be genuine. */
  mark(counter: number): void {
    const word = Math.floor(counter / wordBits);
    if (counter > this.#highest) {
      const last = Math.floor(this.#highest / wordBits);
      const first = Math.max(last + 1, word - words + 1);
      for (let passed = first; passed <= word; passed += 1) this.#bits[passed % words] = 0;
      this.#highest = counter;
    }
    const at = word % words;
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (counter % wordBits));
  }
}
