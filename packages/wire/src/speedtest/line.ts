import { joinBytes } from "../bytes/join.ts";
import { SpeedtestError } from "./errors.ts";

/** The longest line of either end. */
export const maxLineBytes = 1024;

const newline = 0x0a;

/** Collects the one line that each end sends before the blocks. */
export class LineCollector {
  #collected: Uint8Array = new Uint8Array();

  /**
   * Takes a chunk; `undefined` until the line is complete. The line and the bytes after it may be views of the chunk.
   * Throws `SpeedtestError` "too-long".
   */
  receive(chunk: Uint8Array): { readonly line: Uint8Array; readonly rest: Uint8Array } | undefined {
    const end = chunk.indexOf(newline);
    const length = this.#collected.length + (end === -1 ? chunk.length : end);
    if (length > maxLineBytes) {
      throw new SpeedtestError(
        "too-long",
        `line of more than ${String(length)} bytes, wanted at most ${String(maxLineBytes)}`,
      );
    }
    if (end === -1) {
      this.#collected = joinBytes([this.#collected, chunk]);
      return undefined;
    }
    const line = joinBytes([this.#collected, chunk.subarray(0, end)]);
    return { line, rest: chunk.subarray(end + 1) };
  }
}
