import { constants } from "node:fs";
import { Readable } from "node:stream";

import { fileTurns } from "../process/turns.ts";
import { type OpenedFile, openRegular } from "./open-file.ts";

/** The size of a read: few reads for a fast reader, little memory for a slow one. */
const chunkBytes = 256 * 1024;
/** The maximum number of bytes of a file without a size, such as those of `/proc`, some of which never end. */
const maxUnsizedBytes = 64 * 1024 * 1024;

export interface ReadRange {
  readonly offset: number;
  /** Undefined for everything from there. */
  readonly limit: number | undefined;
}

export interface OpenedRange {
  readonly opened: OpenedFile;
  /** The number of bytes of the range; undefined for a file without a size. */
  readonly length: number | undefined;
  /** Reads the range and closes the file, also when it is destroyed. Fails if the file has become shorter. */
  readonly stream: Readable;
}

/** Opens a range of a file. Throws `FileError`, and the errors of the system. */
export async function openRange(
  path: Buffer,
  { offset, limit }: ReadRange,
  owner: object,
): Promise<OpenedRange> {
  const opened = await fileTurns.run(owner, () => openRegular(path, constants.O_RDONLY));
  const { size } = opened.stats;
  const rest = Math.max(0, Number(size) - offset);
  const length = size === 0n ? undefined : Math.min(rest, limit ?? rest);
  const chunks = readChunks(opened, { offset, length, limit }, owner);
  const stream = Readable.from(chunks, { objectMode: false, highWaterMark: chunkBytes });
  // Comes after the last read, also if there was none.
  stream.once("close", () => void opened.file.close());
  return { opened, length, stream };
}

interface ChunkRange {
  readonly offset: number;
  readonly length: number | undefined;
  readonly limit: number | undefined;
}

async function* readChunks(
  { file }: OpenedFile,
  { offset, length, limit = maxUnsizedBytes }: ChunkRange,
  owner: object,
): AsyncGenerator<Buffer> {
  const end = offset + (length ?? Math.min(limit, maxUnsizedBytes));
  for (let at = offset; at < end;) {
    const wanted = Math.min(chunkBytes, end - at);
    const chunk = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await fileTurns.run(owner, () => file.read(chunk, 0, wanted, at));
    if (bytesRead === 0) {
      if (length === undefined) return;
      throw new Error("the file has become shorter while it was read");
    }
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}
