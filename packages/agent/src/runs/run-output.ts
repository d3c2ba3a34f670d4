import { Waiters } from "@slipway/runtime";
import type { OutputStream } from "@slipway/wire/services/run-frames";

import { blockBytes, OutputBlock, type OutputPiece, readPieces } from "./output-block.ts";
import type { SpoolFile } from "./spool-file.ts";

/** The number of full blocks that may wait for the disk; then the command waits. */
const maxUnsaved = 3;
/** The maximum size of the last block of an ended run that stays in memory, in bytes. */
const maxRestBytes = 2 * 1024;

interface RunOutputNeeds {
  readonly spool: Pick<SpoolFile, "write" | "read" | "close" | "remove">;
  /** The maximum number of blocks on disk. */
  readonly maxBlocks: number;
  /** Reserves room on disk for one more block. Returns false if there is none. */
  readonly takeRoom: () => boolean;
  readonly giveRoom: () => void;
}

/** A part of the output. */
export interface ReadOutput {
  /** The number of bytes after the requested position that were dropped. */
  readonly missedBytes: number;
  readonly pieces: readonly OutputPiece[];
}

interface SealedBlock {
  readonly first: number;
  readonly end: number;
  readonly slot: number;
  readonly length: number;
  /** The records until they are on disk. */
  records: Buffer | undefined;
  isDropped: boolean;
}

/**
 * The output of a run: the newest part of it, in blocks of which all but the last go to disk. The command waits for the
 * disk, but for no reader. What a full disk does not take is dropped.
 */
export class RunOutput {
  readonly #needs: RunOutputNeeds;
  readonly #changed = new Waiters();
  readonly #sealed: SealedBlock[] = [];
  readonly #freeSlots: number[] = [];
  #slots = 0;
  #head = new OutputBlock(0);
  #unsaved = 0;
  #saving: Promise<void> = Promise.resolve();
  #keptBytes = 0;
  #isEnded = false;
  #isRemoved = false;

  constructor(needs: RunOutputNeeds) {
    this.#needs = needs;
  }

  /** The position after the last byte. */
  get lastSeq(): number {
    return this.#head.end;
  }

  /** The position of the first byte that is kept. */
  get firstSeq(): number {
    return this.#sealed[0]?.first ?? this.#head.first;
  }

  /** The number of bytes that are not kept. */
  get truncatedBytes(): number {
    return this.#head.first - this.#keptBytes;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The number of blocks on disk. */
  get blocks(): number {
    return this.#sealed.length;
  }

  /** Appends output. If it returns a promise, the disk is behind: append nothing more until it resolves. */
  append(stream: OutputStream, bytes: Uint8Array): Promise<void> | undefined {
    if (this.#isEnded) return undefined;
    let rest = bytes;
    while (rest.length > 0) {
      rest = rest.subarray(this.#head.append(stream, rest));
      if (rest.length > 0 || this.#head.isFull) this.#seal();
    }
    this.#changed.wakeAll();
    return this.#unsaved > maxUnsaved ? this.#saving : undefined;
  }

  /** Ends the output: nothing follows. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#head.end - this.#head.first > maxRestBytes) this.#seal();
    this.#saving = this.#saving.then(() => this.#needs.spool.close());
    this.#changed.wakeAll();
  }

  /** Reads output after a position; nothing if there is none yet. */
  async read(after: number, maxBytes: number): Promise<ReadOutput> {
    for (;;) {
      const block = this.#sealed.find(({ end }) => end > after);
      const first = (block ?? this.#head).first;
      const records = block === undefined ? this.#head.records : await this.#recordsOf(block);
      // The block may have been dropped, and its place on disk used again.
      if (records === undefined) continue;
      const pieces = readPieces(records, first, { after, maxBytes });
      return { missedBytes: Math.max(0, first - after), pieces };
    }
  }

  /** Resolves once there is output after a position, or no more will come, or the signal is aborted. */
  async hasMore(after: number, signal: AbortSignal): Promise<void> {
    while (this.lastSeq <= after && !this.#isEnded && !signal.aborted) {
      await this.#changed.next(signal);
    }
  }

  /** Gives up the oldest block. Returns whether there was one. */
  dropOldest(): boolean {
    const oldest = this.#sealed[0];
    if (oldest !== undefined) this.#lose(oldest);
    return oldest !== undefined;
  }

  /** Removes everything. Readers then find the output ended. */
  async remove(): Promise<void> {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    this.end();
    while (this.dropOldest());
    await this.#saving;
    await this.#needs.spool.remove();
  }

  async #recordsOf(block: SealedBlock): Promise<Buffer | undefined> {
    if (block.records !== undefined) return block.records;
    const records = await this.#needs.spool.read(block.slot, block.length).catch(() => {
      this.#lose(block);
      return undefined;
    });
    return block.isDropped ? undefined : records;
  }

  /** Hands the last block to the disk, and begins another. */
  #seal(): void {
    const { first, end, records } = this.#head;
    this.#head = new OutputBlock(end);
    if (!this.#makeRoom()) return;
    const slot = this.#freeSlots.pop() ?? this.#slots++;
    const block: SealedBlock = {
      first,
      end,
      slot,
      length: records.length,
      records,
      isDropped: false,
    };
    this.#sealed.push(block);
    this.#keptBytes += end - first;
    this.#unsaved += 1;
    this.#saving = this.#saving.then(() => this.#save(block));
  }

  /** Makes room for one more block, if necessary at the cost of the oldest. */
  #makeRoom(): boolean {
    const { maxBlocks, takeRoom } = this.#needs;
    if (this.#sealed.length < maxBlocks && takeRoom()) return true;
    const oldest = this.#sealed[0];
    if (oldest === undefined) return false;
    this.#drop(oldest);
    return true;
  }

  /** Drops a block and gives its room to others. */
  #lose(block: SealedBlock): void {
    if (block.isDropped) return;
    this.#drop(block);
    this.#needs.giveRoom();
  }

  #drop(block: SealedBlock): void {
    block.isDropped = true;
    block.records = undefined;
    this.#sealed.splice(this.#sealed.indexOf(block), 1);
    this.#keptBytes -= block.end - block.first;
    this.#freeSlots.push(block.slot);
  }

  async #save(block: SealedBlock): Promise<void> {
    const { records } = block;
    try {
      if (records !== undefined) await this.#needs.spool.write(block.slot, records);
      block.records = undefined;
    } catch {
      // For example a full disk. A reader is told what it missed.
      this.#lose(block);
    } finally {
      this.#unsaved -= 1;
    }
  }
}

/** The number of blocks that hold this many bytes. */
export function blocksFor(bytes: number): number {
  return Math.max(1, Math.floor(bytes / blockBytes));
}
