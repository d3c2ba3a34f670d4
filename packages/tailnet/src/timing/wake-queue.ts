/** A sleeper that is woken at a time, which it reports when asked. */
export interface Sleeper {
  /** The index in the queue; -1 outside it. The queue writes it. */
  queueIndex: number;
  /** The time for which it is queued. The queue writes it. */
  queuedFor: number;
}

/**
 * Sleepers by the time for which they are queued, each once. An earlier time takes effect immediately; a later one is
 * noticed when the earlier one comes, so that the usual case, a timer that each packet resets, costs nothing.
 */
export class WakeQueue<T extends Sleeper> {
  readonly #heap: T[] = [];

  /** The earliest time; undefined without sleepers. */
  get next(): number | undefined {
    return this.#heap[0]?.queuedFor;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Queues a sleeper, or moves it forward. */
  schedule(sleeper: T, at: number): void {
    if (sleeper.queueIndex < 0) {
      sleeper.queuedFor = at;
      sleeper.queueIndex = this.#heap.length;
      this.#heap.push(sleeper);
      this.#rise(sleeper);
    } else if (at < sleeper.queuedFor) {
      sleeper.queuedFor = at;
      this.#rise(sleeper);
    }
  }

  /** Removes and returns a sleeper that is due. */
  takeDue(now: number): T | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.queuedFor > now) return undefined;
    this.remove(first);
    return first;
  }

  remove(sleeper: T): void {
    const index = sleeper.queueIndex;
    if (index < 0) return;
    sleeper.queueIndex = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === sleeper) return;
    last.queueIndex = index;
    this.#heap[index] = last;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(sleeper: T): void {
    while (sleeper.queueIndex > 0) {
      const parent = this.#heap[(sleeper.queueIndex - 1) >>> 1];
      if (parent === undefined || parent.queuedFor <= sleeper.queuedFor) return;
      this.#swap(sleeper, parent);
    }
  }

  #sink(sleeper: T): void {
    for (;;) {
      const left = this.#heap[2 * sleeper.queueIndex + 1];
      const right = this.#heap[2 * sleeper.queueIndex + 2];
      const child =
        right !== undefined && left !== undefined && right.queuedFor < left.queuedFor
          ? right
          : left;
      if (child === undefined || child.queuedFor >= sleeper.queuedFor) return;
      this.#swap(sleeper, child);
    }
  }

  #swap(one: T, other: T): void {
    const index = one.queueIndex;
    one.queueIndex = other.queueIndex;
    other.queueIndex = index;
    this.#heap[one.queueIndex] = one;
    this.#heap[other.queueIndex] = other;
  }
}
