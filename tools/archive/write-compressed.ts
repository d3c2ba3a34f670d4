import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline as chain, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
} from "node:zlib";

import type { Report } from "./tree.ts";

/** A window of 64 MiB: `zstd -d` accepts it without an option, and needs as much memory. */
const windowLog = 26;

/** The compressions by file extension: one that every busybox unpacks, and one that is a quarter smaller. */
export const compressions = {
  // The best compression takes twice the time and saves two parts in a thousand.
  "tar.gz": (): Transform => createGzip({ level: 6 }),
  "tar.zst": (): Transform =>
    createZstdCompress({
      params: {
        // Level 15 takes nine times the time and saves two parts in a hundred.
        [constants.ZSTD_c_compressionLevel]: 10,
        [constants.ZSTD_c_checksumFlag]: 1,
        [constants.ZSTD_c_windowLog]: windowLog,
      },
    }),
} as const;

/** The decompressor of each compression. */
export const decompressors = {
  "tar.gz": createGunzip,
  "tar.zst": createZstdDecompress,
} as const satisfies Record<Compression, () => Transform>;

export type Compression = keyof typeof compressions;

/** A part of an archive. Consecutive compressed parts form one compressed file. */
interface ArchivePart {
  readonly tar: AsyncIterable<Buffer>;
  readonly compressor: Transform;
}

interface CompressedOptions {
  readonly parts: readonly ArchivePart[];
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Writes an archive and a SHA-256 file next to it, as `sha256sum --check` reads it. A reader sees the old archive or
 * the new one, never a partial one.
 */
export async function writeCompressed(path: string, options: CompressedOptions): Promise<void> {
  const { parts, report, signal } = options;
  await removeUnfinished(path);
  const unfinished = `${path}.new-${process.pid}`;
  try {
    report(`compressing ${path}`);
    const hash = createHash("sha256");
    const hashed = compress(parts, (chunk) => hash.update(chunk));
    await pipeline(hashed, createWriteStream(unfinished), { signal });
    await writeFile(`${path}.sha256`, `${hash.digest("hex")}  ${basename(path)}\n`);
    await rename(unfinished, path);
    report(`made ${path}: ${megabytes((await stat(path)).size)} MB`);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function* compress(
  parts: readonly ArchivePart[],
  onChunk: (chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  for (const { tar, compressor } of parts) {
    // A failure of the tar stops the compressor too.
    const compressed: AsyncIterable<Buffer> = chain(inBlocks(tar), compressor, () => undefined);
    for await (const chunk of compressed) {
      onChunk(chunk);
      yield chunk;
    }
  }
}

/** The size of the blocks passed to a compressor, on which its output depends. */
const blockBytes = 256 * 1024;

/** Yields the bytes in blocks of equal size, except for the last. */
async function* inBlocks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of source) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < blockBytes) continue;
    const bytes = Buffer.concat(held);
    const end = bytes.length - (bytes.length % blockBytes);
    for (let at = 0; at < end; at += blockBytes) yield bytes.subarray(at, at + blockBytes);
    held = [bytes.subarray(end)];
    heldBytes = bytes.length - end;
  }
  yield Buffer.concat(held);
}

/** Removes the leftovers of killed runs. */
async function removeUnfinished(path: string): Promise<void> {
  for (const entry of await readdir(dirname(path))) {
    if (entry.startsWith(`${basename(path)}.new-`)) {
      await rm(join(dirname(path), entry), { force: true });
    }
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
