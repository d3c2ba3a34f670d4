import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";

import type { FairTurns } from "../process/turns.ts";

/** The writes and the reads of all runs occupy one thread each. */
const writer = {};
const reader = {};

/** A file of equal slots, each of which holds one block. It is created with the first write; the owner removes it. */
export class SpoolFile {
  readonly #path: string;
  readonly #slotBytes: number;
  readonly #turns: Pick<FairTurns, "runPatiently">;
  #opening: Promise<FileHandle> | undefined;
  #isCreated = false;

  constructor(path: string, slotBytes: number, turns: Pick<FairTurns, "runPatiently">) {
    this.#path = path;
    this.#slotBytes = slotBytes;
    this.#turns = turns;
  }

  /** Writes a block. Rejects with the system's error, for example for a full disk. */
  async write(slot: number, bytes: Uint8Array): Promise<void> {
    await this.#turns.runPatiently(writer, async () => {
      this.#opening ??= this.#create();
      const file = await this.#opening;
      this.#isCreated = true;
      let written = 0;
      while (written < bytes.length) {
        const at = slot * this.#slotBytes + written;
        const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at);
        written += bytesWritten;
      }
    });
  }

  /** Reads the first bytes of a slot that was written. */
  async read(slot: number, length: number): Promise<Buffer> {
    return this.#turns.runPatiently(reader, async () => {
      const kept = await this.#opening;
      const file = kept ?? (await open(this.#path, constants.O_RDONLY));
      try {
        const bytes = Buffer.allocUnsafe(length);
        const { bytesRead } = await file.read(bytes, 0, length, slot * this.#slotBytes);
        return bytes.subarray(0, bytesRead);
      } finally {
        if (kept === undefined) await file.close();
      }
    });
  }

  /** Closes the file after the last write; it can still be read. */
  async close(): Promise<void> {
    await this.#turns.runPatiently(writer, async () => {
      const opening = this.#opening;
      this.#opening = undefined;
      const file = await opening?.catch(() => undefined);
      await this.#turns.runPatiently(reader, async () => file?.close());
    });
  }

  /** Closes and removes the file. */
  async remove(): Promise<void> {
    await this.close();
    if (this.#isCreated) await rm(this.#path, { force: true });
  }

  #create(): Promise<FileHandle> {
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;
    return open(this.#path, flags, 0o600).catch((error: unknown) => {
      // The disk may have room for the next block.
      this.#opening = undefined;
      throw error;
    });
  }
}
