/** Bytes in arrival order, kept as the pieces they came in: nothing is copied. The owner bounds `length`. */
export class ByteQueue {
  #pieces: Uint8Array[] = [];
  /** Pieces before this index are taken; they are dropped together, so that taking stays linear. */
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds `bytes`, which the queue keeps: the caller must no longer change it. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** Removes and returns the first `count` bytes, or all if there are fewer, as views of the pushed pieces. */
  take(count: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let missing = Math.min(count, this.#length);
    this.#length -= missing;
    while (missing > 0) {
      const piece = this.#pieces[this.#head];
      if (piece === undefined) break;
      if (piece.length > missing) {
        taken.push(piece.subarray(0, missing));
        this.#pieces[this.#head] = piece.subarray(missing);
        break;
      }
      taken.push(piece);
      missing -= piece.length;
      this.#head += 1;
    }
    this.#dropTaken();
    return taken;
  }

  clear(): void {
    this.#pieces = [];
    this.#head = 0;
    this.#length = 0;
  }

  #dropTaken(): void {
    if (this.#length === 0) {
      this.clear();
    } else if (this.#head >= 64 && this.#head * 2 >= this.#pieces.length) {
      this.#pieces.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
