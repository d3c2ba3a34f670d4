import type { Run } from "@slipway/api/agents/run-routes";
import type { OutputStream } from "@slipway/wire/services/run-frames";

/** The result of a run that has ended. */
export interface RunResult {
  /** Undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  /** The signal that ended it, such as `SIGKILL`. */
  readonly signal: string | undefined;
  /** True if its time limit ended it. */
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** True if the beginning of the output is missing: it is larger than what is collected or kept. */
  readonly truncated: boolean;
}

interface Piece {
  readonly stream: OutputStream;
  readonly bytes: Uint8Array;
}

/** Collects the output of a run for its result: the end of it, within a number of bytes. */
export class OutputCollector {
  readonly #maxBytes: number;
  readonly #decoders = { stdout: newDecoder(), stderr: newDecoder() };
  readonly #pieces: Piece[] = [];
  #bytes = 0;
  #isTruncated = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds output; returns its text. */
  add(stream: OutputStream, bytes: Uint8Array): string {
    this.#pieces.push({ stream, bytes });
    this.#bytes += bytes.length;
    while (this.#bytes > this.#maxBytes) this.#dropFirst();
    return this.#decoders[stream].decode(bytes, { stream: true });
  }

  /** Notes that output was missed. */
  miss(): void {
    this.#isTruncated = true;
  }

  result(run: Run): RunResult {
    return {
      exitCode: run.exit_code ?? undefined,
      signal: run.signal ?? undefined,
      timedOut: run.timed_out,
      stdout: this.#textOf("stdout"),
      stderr: this.#textOf("stderr"),
      truncated: this.#isTruncated,
    };
  }

  #dropFirst(): void {
    const [first] = this.#pieces;
    if (first === undefined) return;
    const excess = this.#bytes - this.#maxBytes;
    const count = Math.min(excess, first.bytes.length);
    this.#bytes -= count;
    this.#isTruncated = true;
    if (count === first.bytes.length) this.#pieces.shift();
    else this.#pieces[0] = { ...first, bytes: first.bytes.subarray(count) };
  }

  #textOf(wanted: OutputStream): string {
    const decoder = newDecoder();
    const parts = this.#pieces
      .filter(({ stream }) => stream === wanted)
      .map(({ bytes }) => decoder.decode(bytes, { stream: true }));
    return parts.join("") + decoder.decode();
  }
}

function newDecoder() {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
