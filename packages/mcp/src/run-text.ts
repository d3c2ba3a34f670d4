import type { RunChunk } from "@slipway/api/agents/run-routes";
import { printableText } from "@slipway/runtime";

/** The output of both streams of a run as text, from chunks that may cut characters. */
export class RunText {
  readonly #bytes: Readonly<Record<RunChunk["stream"], Uint8Array[]>> = { stdout: [], stderr: [] };
  #last: RunChunk["stream"] = "stdout";
  #size = 0;

  /** The number of bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds a chunk whose data is base64. */
  add({ stream, data }: Pick<RunChunk, "stream" | "data">): void {
    const bytes = Buffer.from(data, "base64");
    this.#bytes[stream].push(bytes);
    this.#last = stream;
    this.#size += bytes.length;
  }

  /** The number of bytes at the end that begin a character of UTF-8 and do not finish it. */
  get unfinishedBytes(): number {
    return unfinishedBytesOf(Buffer.concat(this.#bytes[this.#last].slice(-4)));
  }

  /** Returns the text without so many bytes at the end, and without characters that control a terminal. */
  read(cutBytes: number): { readonly stdout: string; readonly stderr: string } {
    const read = (stream: RunChunk["stream"]): string => {
      const all = Buffer.concat(this.#bytes[stream]);
      const end = stream === this.#last ? all.length - cutBytes : all.length;
      return printableText(all.toString("utf8", 0, end), { colors: false });
    };
    return { stdout: read("stdout"), stderr: read("stderr") };
  }
}

function unfinishedBytesOf(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes.at(-back) ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return wanted > back ? back : 0;
  }
  return 0;
}
