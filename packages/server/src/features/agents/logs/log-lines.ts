import type { LogLevel } from "@slipway/api/jobs/job";

import { BinaryArray, elementType } from "../../../platform/db/binary-array.ts";

/** The number of characters kept of a line. */
const maxLineLength = 1024;
/** The approximate size of a line's parts in the arrays, in bytes; the text's own bytes come on top. */
const timeBytes = 12;
const levelBytes = 9;
const textBytes = 4;

/** A line as the agent sent it. `createdNs` is the agent's time in nanoseconds, 0 if it sent none. */
export interface NewLogLine {
  readonly createdNs: bigint;
  readonly level: LogLevel;
  readonly output: string;
}

/** Lines in order, as arrays in PostgreSQL's binary format: parameters of the statement that stores them. */
export interface PackedLines {
  readonly length: number;
  readonly times: Buffer;
  readonly levels: Buffer;
  readonly outputs: Buffer;
}

/** Packs lines as they arrive; the caller limits their number and size. */
export class LinePacker {
  readonly #times: BinaryArray;
  readonly #levels: BinaryArray;
  readonly #outputs: BinaryArray;

  /** Creates a packer for the expected size, which it may exceed. */
  constructor(lines: number, bytes: number) {
    this.#times = new BinaryArray(elementType.int8, lines * timeBytes);
    this.#levels = new BinaryArray(elementType.text, lines * levelBytes);
    this.#outputs = new BinaryArray(elementType.text, lines * textBytes + bytes);
  }

  get length(): number {
    return this.#times.length;
  }

  add({ createdNs, level, output }: NewLogLine): void {
    this.#begin(createdNs, level);
    this.#outputs.addText(keptText(output));
  }

  /** Adds a line whose text is in `source`. Throws `TypeError` when it is not UTF-8. */
  addEncoded(
    createdNs: bigint,
    level: LogLevel,
    source: Uint8Array,
    start: number,
    end: number,
  ): void {
    const isWhole = end - start <= maxLineLength;
    if (!isWhole || !this.#outputs.addPlainAscii(source, start, end)) {
      this.#outputs.addText(keptText(utf8.decode(source.subarray(start, end))));
    }
    this.#begin(createdNs, level);
  }

  finish(): PackedLines {
    return {
      length: this.#times.length,
      times: this.#times.encode(),
      levels: this.#levels.encode(),
      outputs: this.#outputs.encode(),
    };
  }

  #begin(createdNs: bigint, level: LogLevel): void {
    this.#times.addInt8(createdNs);
    this.#levels.addBytes(levelTexts[level]);
  }
}

export function packLines(lines: readonly NewLogLine[]): PackedLines {
  const bytes = lines.reduce((sum, { output }) => sum + output.length, 0);
  const packer = new LinePacker(lines.length, bytes);
  for (const line of lines) packer.add(line);
  return packer.finish();
}

/** Returns the size of lines before truncation, in bytes. */
export function linesBytes(lines: readonly NewLogLine[]): number {
  return lines.reduce((sum, { output }) => sum + Buffer.byteLength(sanitize(output)), 0);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const levelTexts: Readonly<Record<LogLevel, Uint8Array>> = {
  trace: Buffer.from("trace"),
  debug: Buffer.from("debug"),
  info: Buffer.from("info"),
  warn: Buffer.from("warn"),
  error: Buffer.from("error"),
};

function keptText(output: string): string {
  return sanitize(output).slice(0, maxLineLength).toWellFormed();
}

/** Replaces NUL, which PostgreSQL cannot store, and undecodable bytes by a mark. */
function sanitize(output: string): string {
  return output.replaceAll(/[\0\uFFFD]/g, "❌");
}
