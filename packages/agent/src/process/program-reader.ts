import { printableLine } from "@slipway/runtime";

/** The maximum number of bytes of an error message that are kept, and of its characters that are shown. */
const maxErrorBytes = 16 * 1024;
const maxErrorLength = 500;

type LineHandler = (line: string) => void;

interface ProgramReaderOptions {
  /** The maximum size of the output; with `onLine`, of each line. */
  readonly maxBytes: number;
  readonly onLine?: LineHandler;
  readonly onErrorLine?: LineHandler;
}

/** Collects the output of a program within limits, or passes it on by lines. */
export class ProgramReader {
  readonly #excess = new AbortController();
  readonly #stdout: LineReader;
  readonly #stderr: LineReader;
  readonly #error: Buffer[] = [];
  #errorBytes = 0;

  constructor({ maxBytes, onLine, onErrorLine }: ProgramReaderOptions) {
    const onExcess = (): void => this.#excess.abort();
    this.#stdout = new LineReader({ maxBytes, onLine, onExcess });
    this.#stderr = new LineReader({ maxBytes, onLine: onErrorLine ?? ignored, onExcess: ignored });
  }

  /** Aborted once the output exceeds its limit. */
  get excess(): AbortSignal {
    return this.#excess.signal;
  }

  take(stream: "stdout" | "stderr", chunk: Buffer): void {
    if (stream === "stdout") {
      this.#stdout.take(chunk);
      return;
    }
    this.#stderr.take(chunk);
    if (this.#errorBytes < maxErrorBytes) this.#error.push(chunk);
    this.#errorBytes += chunk.length;
  }

  /** Passes on the last lines. Returns the output that was not passed on, and the printable start of stderr. */
  end(): { readonly stdout: string; readonly error: string } {
    this.#stderr.end();
    const error = printableLine(Buffer.concat(this.#error).toString().trim());
    return { stdout: this.#stdout.end(), error: error.slice(0, maxErrorLength) };
  }
}

function ignored(): void {
  // Nobody reads it.
}

interface LineReaderOptions {
  readonly maxBytes: number;
  readonly onLine: LineHandler | undefined;
  readonly onExcess: () => void;
}

class LineReader {
  readonly #options: LineReaderOptions;
  #kept: Buffer[] = [];
  #bytes = 0;
  #isFull = false;

  constructor(options: LineReaderOptions) {
    this.#options = options;
  }

  take(chunk: Buffer): void {
    const { onLine } = this.#options;
    let start = 0;
    if (onLine !== undefined) {
      for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", start)) {
        this.#keep(chunk.subarray(start, end));
        onLine(this.#flush());
        start = end + 1;
      }
    }
    this.#keep(chunk.subarray(start));
  }

  end(): string {
    const rest = this.#flush();
    if (this.#options.onLine === undefined) return rest;
    if (rest !== "") this.#options.onLine(rest);
    return "";
  }

  /** Keeps nothing more of a line, or of the whole, that exceeds the limit. */
  #keep(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#options.maxBytes) {
      this.#kept.push(chunk);
    } else if (!this.#isFull) {
      this.#isFull = true;
      this.#options.onExcess();
    }
  }

  #flush(): string {
    const text = Buffer.concat(this.#kept).toString();
    this.#kept = [];
    this.#bytes = 0;
    this.#isFull = false;
    return text;
  }
}
