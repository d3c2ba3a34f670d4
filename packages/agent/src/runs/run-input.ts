import type { Writable } from "node:stream";

import { Waiters } from "@slipway/runtime";
import { runInputWindow } from "@slipway/wire/services/run-frames";

import { runError } from "./errors.ts";

/** Gives bytes to the command; resolves once it has room for more. Rejects if it takes no more. */
type Give = (bytes: Uint8Array) => Promise<void>;

interface RunInputNeeds {
  readonly give: Give;
  /** Ends the input after all bytes. */
  readonly end: () => void;
}

/**
 * The input of a run, numbered by its callers: bytes that come again, because a caller did not learn that they had
 * arrived, are not given to the command again.
 */
export class RunInput {
  readonly #needs: RunInputNeeds;
  readonly #changed = new Waiters();
  /** The position after the last byte that has arrived, and after the last that the command was given. */
  #received = 0;
  #taken = 0;
  #giving: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(needs: RunInputNeeds) {
    this.#needs = needs;
  }

  /** The number of bytes that the command has been given. */
  get taken(): number {
    return this.#taken;
  }

  /** The position after the last byte that has arrived. */
  get received(): number {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Accepts bytes from a position on. Throws `ApiError`. */
  write(position: number, bytes: Uint8Array): void {
    this.#requireNoGap(position);
    const fresh = bytes.subarray(this.#received - position);
    if (fresh.length === 0) return;
    if (this.#isClosed) throw runError("input-closed", "The input of the run is closed.");
    if (this.#received - this.#taken + fresh.length > runInputWindow) {
      const detail = `${runInputWindow} bytes already wait for the command to read them`;
      throw runError("input-full", "The command does not read its input.", detail);
    }
    this.#received += fresh.length;
    const end = this.#received;
    // The sender may use its buffer again.
    const kept = Uint8Array.from(fresh);
    this.#giving = this.#giving.then(async () => {
      try {
        await this.#needs.give(kept);
      } catch {
        // The command has ended, or has closed its input: the rest is lost.
        this.#isClosed = true;
      }
      this.#taken = end;
      this.#changed.wakeAll();
    });
  }

  /** Ends the input at a position. Throws `ApiError`. */
  close(position: number): void {
    this.#requireNoGap(position);
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#giving = this.#giving.then(() => {
      this.#needs.end();
      this.#changed.wakeAll();
    });
  }

  /** Resolves once the command was given more than this, or the signal is aborted. */
  async hasTakenMore(than: number, signal: AbortSignal): Promise<void> {
    while (this.#taken <= than && !signal.aborted) await this.#changed.next(signal);
  }

  #requireNoGap(position: number): void {
    if (position <= this.#received) return;
    const detail = `position ${position}, wanted at most ${this.#received}`;
    throw runError("input-gap", "Input before this position is missing.", detail);
  }
}

/** Returns a `Give` for a pipe: a command that does not read slows it. */
export function givePipe(pipe: Writable): Give {
  return async (bytes) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onClose = (): void => reject(new Error("the command has closed its input"));
    pipe.once("close", onClose);
    try {
      if (pipe.destroyed) onClose();
      else pipe.write(bytes, (error) => (error instanceof Error ? reject(error) : resolve()));
      await promise;
    } finally {
      pipe.off("close", onClose);
    }
  };
}
