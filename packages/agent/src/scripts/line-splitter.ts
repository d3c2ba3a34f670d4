/** Longer lines are cut into pieces of this size, so that a line fits into a batch and a small machine's memory. */
export const maxLineBytes = 64 * 1024;

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Splits a stream of bytes into lines: ends at `
 * `, drops one `\r` before it, keeps the rest until more comes or it is
 * closed. Bytes that are not UTF-8, and NUL, become `❌` (docs/protocol/agent.md §4.5).
 */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): string[] {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: string[] = [];
    for (;;) {
      const end = data.indexOf(newline);
      if (end >= 0 && end <= maxLineBytes) {
        lines.push(lineText(data.subarray(0, end)));
        data = data.subarray(end + 1);
      } else if (data.length > maxLineBytes) {
        lines.push(sanitize(data.subarray(0, maxLineBytes)));
        data = data.subarray(maxLineBytes);
      } else {
        // A copy: the chunk is the stream's.
        this.#rest = Buffer.from(data);
        return lines;
      }
    }
  }

  /** Returns the last line, if it is not terminated. */
  close(): string[] {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? [] : [lineText(rest)];
  }
}

function lineText(bytes: Buffer): string {
  return sanitize(bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes);
}

/** Replaces each run of invalid bytes by one character. */
function sanitize(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  // A genuine replacement character is rare and dispensable.
  return /[\0\uFFFD]/.test(text) ? text.replaceAll(/\uFFFD+|\0/g, "❌") : text;
}
