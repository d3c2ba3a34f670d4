/** Ranges of offsets, disjoint, not touching, in order. The owner bounds their number. */
export class Ranges {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** The number of ranges. */
  get size(): number {
    return this.#starts.length;
  }

  /** Returns the start of the range at `index`. */
  start(index: number): number {
    return this.#starts[index] ?? Number.POSITIVE_INFINITY;
  }

  /** Returns the end of the range at `index`, the first offset that is not in it. */
  end(index: number): number {
    return this.#ends[index] ?? Number.POSITIVE_INFINITY;
  }

  /** Returns the index of the first range that ends at or after `offset`; `size` if none does. */
  find(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.end(middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Returns true if the range would join an existing one, rather than add to their number. */
  touches(start: number, end: number): boolean {
    return this.start(this.find(start)) <= end;
  }

  /** Returns true if an existing range contains the whole range. */
  covers(start: number, end: number): boolean {
    const index = this.find(start);
    return this.start(index) <= start && this.end(index) >= end && index < this.size;
  }

  /** Calls `visit` for each part of the range that no existing range covers, in order. */
  forEachGap(start: number, end: number, visit: (start: number, end: number) => void): void {
    let at = start;
    for (let index = this.find(start); index < this.size && at < end; index += 1) {
      const next = this.start(index);
      if (next >= end) break;
      if (next > at) visit(at, next);
      at = Math.max(at, this.end(index));
    }
    if (at < end) visit(at, end);
  }

  /** Adds a nonempty range, joining it with those that it overlaps or touches. Returns its index. */
  add(start: number, end: number): number {
    const first = this.find(start);
    let last = first;
    let joinedStart = start;
    let joinedEnd = end;
    while (last < this.size && this.start(last) <= end) {
      joinedStart = Math.min(joinedStart, this.start(last));
      joinedEnd = Math.max(joinedEnd, this.end(last));
      last += 1;
    }
    if (last === first + 1) {
      this.#starts[first] = joinedStart;
      this.#ends[first] = joinedEnd;
    } else {
      this.#starts.splice(first, last - first, joinedStart);
      this.#ends.splice(first, last - first, joinedEnd);
    }
    return first;
  }

  /** Removes everything below `offset`. */
  removeBelow(offset: number): void {
    let count = 0;
    while (count < this.size && this.end(count) <= offset) count += 1;
    if (count > 0) {
      this.#starts.splice(0, count);
      this.#ends.splice(0, count);
    }
    if (this.size > 0 && this.start(0) < offset) this.#starts[0] = offset;
  }

  clear(): void {
    this.#starts.length = 0;
    this.#ends.length = 0;
  }
}
