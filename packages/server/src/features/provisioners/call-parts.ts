import type { PartName, PieceMessage } from "./session-messages.ts";

/** The bytes that all sessions of a server may hold of parts. */
export class PartBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes bytes, if there are as many. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** The sizes of parts, in bytes: a state is as large as a driver reads it, and so is the lock file in the notes. */
const maxPartBytes: Readonly<Record<PartName, number>> = {
  input: 16 * 1024 * 1024,
  archive: 64 * 1024 * 1024,
  state: 16 * 1024 * 1024,
  notes: 16 * 1024 * 1024,
  result: 8 * 1024 * 1024,
};

const maxPieces = 4_096;

/** The parts of one call that arrive in pieces. Its owner disposes of it. */
export class CallParts implements Disposable {
  readonly #budget: PartBudget;
  readonly #parts = new Map<PartName, { readonly pieces: Buffer[]; bytes: number }>();

  constructor(budget: PartBudget) {
    this.#budget = budget;
  }

  /** Adds a piece; returns the problem with it, if it does not fit. */
  add({ part, data }: PieceMessage): string | undefined {
    const piece = Buffer.from(data, "base64");
    const found = this.#parts.get(part) ?? { pieces: [], bytes: 0 };
    const bytes = found.bytes + piece.length;
    if (bytes > maxPartBytes[part]) return `the ${part} has more than ${maxPartBytes[part]} bytes`;
    if (found.pieces.length >= maxPieces) return `the ${part} has more than ${maxPieces} pieces`;
    if (!this.#budget.take(piece.length)) {
      return "provisioners send too much to this server at the same time: try again later";
    }
    found.pieces.push(piece);
    found.bytes = bytes;
    this.#parts.set(part, found);
    return undefined;
  }

  /** Takes a part out; undefined if no piece of it came. */
  take(part: PartName): Buffer | undefined {
    const found = this.#parts.get(part);
    if (found === undefined) return undefined;
    this.#parts.delete(part);
    this.#budget.give(found.bytes);
    return Buffer.concat(found.pieces);
  }

  [Symbol.dispose](): void {
    for (const part of this.#parts.keys()) this.take(part);
  }
}
