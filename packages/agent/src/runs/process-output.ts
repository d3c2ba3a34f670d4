import type { Run } from "./run.ts";

/** The number of bytes that are kept of each end of the output (docs/protocol/agent.md §8.4). */
const endBytes = 16 * 1024;
const maxLineLength = 2_048;

/** The first output of a run, which its ring may drop. */
export class ProcessHead {
  readonly #run: Run;
  readonly #bytes: Buffer[] = [];
  #length = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(run: Run) {
    this.#run = run;
    void this.#collect();
  }

  /** Reads the first bytes so far. */
  async read(): Promise<Buffer> {
    await this.#readMore();
    return Buffer.concat(this.#bytes);
  }

  async #collect(): Promise<void> {
    const { output } = this.#run;
    const never = new AbortController().signal;
    while (this.#length < endBytes) {
      await output.hasMore(this.#length, never);
      await this.#readMore();
      if (output.isEnded) return;
    }
  }

  #readMore(): Promise<void> {
    this.#reading = this.#reading.then(async () => {
      if (this.#length >= endBytes) return;
      const { missedBytes, pieces } = await this.#run.output.read(
        this.#length,
        endBytes - this.#length,
      );
      if (missedBytes > 0) this.#length = endBytes;
      for (const { bytes } of missedBytes > 0 ? [] : pieces) {
        this.#bytes.push(Buffer.from(bytes));
        this.#length += bytes.length;
      }
    });
    return this.#reading;
  }
}

interface Truncation {
  readonly original_bytes: number;
  readonly retained_bytes: number;
  readonly omitted_bytes: number;
  readonly strategy: "head_tail";
}

interface BothEnds {
  readonly output: string;
  /** Undefined if all output is there. */
  readonly truncated: Truncation | undefined;
}

/** Returns both ends of the output, with long lines cut. */
export async function headAndTail(run: Run, head: ProcessHead): Promise<BothEnds> {
  const first = await head.read();
  const { lastSeq } = run.output;
  const tailAt = Math.max(first.length, lastSeq - endBytes);
  const tail = await readFrom(run, tailAt);
  const kept = first.length + tail.length;
  const omitted = Math.max(0, lastSeq - kept);
  const gap = omitted === 0 ? "" : `\n... ${omitted} bytes omitted ...\n`;
  const output = cutLines(`${first.toString()}${gap}${tail.toString()}`);
  if (omitted === 0) return { output, truncated: undefined };
  return {
    output,
    truncated: {
      original_bytes: lastSeq,
      retained_bytes: kept,
      omitted_bytes: omitted,
      strategy: "head_tail",
    },
  };
}

async function readFrom(run: Run, after: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let position = after;
  for (let room = endBytes; room > 0;) {
    const { missedBytes, pieces } = await run.output.read(position, room);
    if (pieces.length === 0) break;
    position += missedBytes;
    for (const { bytes } of pieces) {
      parts.push(bytes);
      position += bytes.length;
      room -= bytes.length;
    }
  }
  return Buffer.concat(parts);
}

function cutLines(text: string): string {
  return text
    .split("\n")
    .map((line) => (line.length > maxLineLength ? line.slice(0, maxLineLength) : line))
    .join("\n");
}
