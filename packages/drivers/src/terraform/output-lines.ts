/** The longest line that is kept, in bytes; the rest of a longer one is dropped. */
const maxLineBytes = 64 * 1024;
const lineFeed = 0x0a;

/** Splits the output of a program into lines. A line is a view of the chunk where possible, and valid until the next one. */
export class OutputLines {
  readonly #report: (line: Buffer) => void;
  #partial = Buffer.alloc(0);

  constructor(report: (line: Buffer) => void) {
    this.#report = report;
  }

  add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      this.#finish(chunk.subarray(start, end));
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** Reports a last line without an end. */
  end(): void {
    if (this.#partial.length > 0) this.#finish(Buffer.alloc(0));
  }

  #finish(rest: Buffer): void {
    if (this.#partial.length === 0) {
      this.#report(rest.subarray(0, maxLineBytes));
      return;
    }
    this.#keep(rest);
    const line = this.#partial;
    this.#partial = Buffer.alloc(0);
    this.#report(line);
  }

  #keep(part: Buffer): void {
    const room = maxLineBytes - this.#partial.length;
    if (room <= 0 || part.length === 0) return;
    this.#partial = Buffer.concat([this.#partial, part.subarray(0, room)]);
  }
}
