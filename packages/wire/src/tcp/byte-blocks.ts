/** The size of a block as a power of two, so that positions are computed by shifts. */
const blockBits = 14;
const blockBytes = 2 ** blockBits;
const inBlockMask = blockBytes - 1;

/**
 * Blocks that wait for reuse, shared by any number of owners: a bulk transfer frees and fills some between two ACKs.
 */
export class SpareBlocks {
  readonly #blocks: Uint8Array[] = [];
  readonly #maxBlocks: number;

  constructor(maxBlocks: number) {
    this.#maxBlocks = maxBlocks;
  }

  /** Keeps a block without views for reuse, unless there are enough. */
  add(block: Uint8Array): void {
    if (this.#blocks.length < this.#maxBlocks) this.#blocks.push(block);
  }

  /** Returns a block, which may contain old bytes. */
  take(): Uint8Array {
    return this.#blocks.pop() ?? new Uint8Array(blockBytes);
  }
}

/**
 * Bytes by their offset, in blocks that exist only where something was written: memory is bounded by the span from
 * the lowest to the highest offset, which the owner bounds. Bytes are copied in, and copied out or viewed.
 */
export class ByteBlocks {
  readonly #blocks: (Uint8Array | undefined)[] = [];
  /** The offset of the first byte of the first block. */
  #base = 0;
  #count = 0;
  readonly #spares: SpareBlocks | undefined;

  /** Blocks come from `spares`, and return there when they are discarded. Without it, views stay valid. */
  constructor(spares?: SpareBlocks) {
    this.#spares = spares;
  }

  /** The bytes of the held blocks, however few of them are in use. */
  get heldBytes(): number {
    return this.#count * blockBytes;
  }

  /** Copies `bytes` from `start` to `end` to `offset`, which must not lie below the discarded offsets. */
  write(offset: number, bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    let position = offset - this.#base;
    while (at < end) {
      const inBlock = position & inBlockMask;
      const length = Math.min(end - at, blockBytes - inBlock);
      this.#blockAt(position).set(bytes.subarray(at, at + length), inBlock);
      at += length;
      position += length;
    }
  }

  /** Copies `length` bytes from `offset`, which must all have been written, to `target` at `at`. */
  copyTo(target: Uint8Array, at: number, offset: number, length: number): void {
    let copied = 0;
    while (copied < length) {
      const part = this.view(offset + copied, offset + length);
      target.set(part, at + copied);
      copied += part.length;
    }
  }

  /** Returns a view of the bytes from `offset` up to `end` or to the end of a block, whichever comes first. */
  view(offset: number, end: number): Uint8Array {
    const position = offset - this.#base;
    const inBlock = position & inBlockMask;
    const length = Math.min(end - offset, blockBytes - inBlock);
    return this.#blockAt(position).subarray(inBlock, inBlock + length);
  }

  /** Discards the blocks that lie wholly below `offset`. */
  discardBelow(offset: number): void {
    while (offset - this.#base >= blockBytes) {
      const block = this.#blocks.shift();
      if (block !== undefined) {
        this.#count -= 1;
        this.#spares?.add(block);
      }
      this.#base += blockBytes;
    }
  }

  /** Discards everything; the next write is at `offset` or beyond it. */
  clear(offset: number): void {
    for (const block of this.#blocks) if (block !== undefined) this.#spares?.add(block);
    this.#blocks.length = 0;
    this.#count = 0;
    this.#base = offset - (offset % blockBytes);
  }

  #blockAt(position: number): Uint8Array {
    const index = position >>> blockBits;
    return this.#blocks[index] ?? this.#addBlock(index);
  }

  #addBlock(index: number): Uint8Array {
    const block = this.#spares?.take() ?? new Uint8Array(blockBytes);
    while (this.#blocks.length < index) this.#blocks.push(undefined);
    this.#blocks[index] = block;
    this.#count += 1;
    return block;
  }
}
