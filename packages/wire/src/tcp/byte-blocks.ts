/** The size of a block as a power of two, so that places are found by shifts. */
const blockBits = 14;
const blockBytes = 2 ** blockBits;
const inBlockMask = blockBytes - 1;

/**
 * Bytes by their offset, in blocks that exist only where something was written: memory is bounded by the span from the
 * lowest to the highest offset, which the owner bounds. Bytes are copied in, and out or viewed.
 */
export class ByteBlocks {
  readonly #blocks: (Uint8Array | undefined)[] = [];
  /** The offset of the first byte of the first block. */
  #base = 0;
  readonly #spares: Uint8Array[] = [];
  readonly #maxSpares: number;

  /** A block that is discarded is used again if fewer than `maxSpares` wait for that. With 0, views stay as they are. */
  constructor(maxSpares: number) {
    this.#maxSpares = maxSpares;
  }

  /** Copies `bytes` from `start` to `end` to `offset`, which is not below what was discarded. */
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

  /** Copies `length` bytes from `offset`, all of which were written, to `target` at `at`. */
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
      if (block !== undefined && this.#spares.length < this.#maxSpares) this.#spares.push(block);
      this.#base += blockBytes;
    }
  }

  /** Discards everything, spares too; what is written next lies at `offset` or behind it. */
  clear(offset: number): void {
    this.#blocks.length = 0;
    this.#spares.length = 0;
    this.#base = offset - (offset % blockBytes);
  }

  #blockAt(position: number): Uint8Array {
    const index = position >>> blockBits;
    return this.#blocks[index] ?? this.#addBlock(index);
  }

  #addBlock(index: number): Uint8Array {
    const block = this.#spares.pop() ?? new Uint8Array(blockBytes);
    while (this.#blocks.length < index) this.#blocks.push(undefined);
    this.#blocks[index] = block;
    return block;
  }
}
