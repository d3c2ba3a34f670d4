import { TerminalError } from "./errors.ts";

const quote = 0x22;
const backslash = 0x5c;
const opening = 0x7b;
const closing = 0x7d;
const whitespace = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Enough for most messages, which are typed keys. */
const firstBytes = 256;

/** Splits a stream of JSON objects, with or without white space between them. */
export class JsonSplitter {
  readonly #maxBytes: number;
  /** The bytes of the incomplete object, with room for more. */
  #collected: Buffer = Buffer.alloc(firstBytes);
  #collectedBytes = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Returns the complete texts. Throws `TerminalError` "too-large", or "malformed" for anything but an object. */
  receive(chunk: Buffer): string[] {
    const texts: string[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.#depth === 0) {
        if (whitespace.has(byte)) continue;
        if (byte !== opening) throw new TerminalError("malformed", "message is not a JSON object");
        start = at;
        this.#depth = 1;
      } else if (this.#isEndOf(byte)) {
        this.#collect(chunk.subarray(start, at + 1));
        texts.push(this.#collected.toString("utf8", 0, this.#collectedBytes));
        this.#collectedBytes = 0;
        start = at + 1;
      }
    }
    if (this.#depth > 0) this.#collect(chunk.subarray(start));
    return texts;
  }

  /** Advances by a byte inside an object. Returns true if it is the last one. */
  #isEndOf(byte: number): boolean {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#isInString) {
      if (byte === backslash) this.#isEscaped = true;
      else if (byte === quote) this.#isInString = false;
    } else if (byte === quote) this.#isInString = true;
    else if (byte === opening) this.#depth += 1;
    else if (byte === closing) {
      this.#depth -= 1;
      return this.#depth === 0;
    }
    return false;
  }

  #collect(piece: Buffer): void {
    const bytes = this.#collectedBytes + piece.length;
    if (bytes > this.#maxBytes) {
      throw new TerminalError(
        "too-large",
        `message of more than ${bytes} bytes, wanted at most ${this.#maxBytes}`,
      );
    }
    if (bytes > this.#collected.length) {
      const larger = Buffer.alloc(Math.max(bytes, 2 * this.#collected.length));
      this.#collected.copy(larger, 0, 0, this.#collectedBytes);
      this.#collected = larger;
    }
    piece.copy(this.#collected, this.#collectedBytes);
    this.#collectedBytes = bytes;
  }
}
