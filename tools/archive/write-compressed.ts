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

/** 64 MiB behind: `zstd -d` needs no option for it, and as much memory. */
const windowLog = 26;

/** The compressions by the endings of their files: what every busybox unpacks, and what is a quarter smaller. */
export const compressions = {
  // The best compression takes twice the time, and saves two parts in a thousand.
  "tar.gz": (): Transform => createGzip({ level: 6 }),
  "tar.zst": (): Transform =>
    createZstdCompress({
      params: {
        // Level 15 takes nine times the time, and saves two parts in a hundred.
        [constants.ZSTD_c_compressionLevel]: 10,
        [constants.ZSTD_c_checksumFlag]: 1,
        [constants.ZSTD_c_windowLog]: windowLog,
      },
    }),
} as const;

/** What undoes each compression. */
export const decompressors = {
  "tar.gz": createGunzip,
  "tar.zst": createZstdDecompress,
} as const satisfies Record<Compression, () => Transform>;

export type Compression = keyof typeof compressions;

/** A part of an archive. Compressed parts that follow each other are one compressed file. */
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
 * Writes an archive, and its SHA-256 beside it, as `sha256sum --check` reads it. A reader sees the old archive or the new
 * one, never a part.
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
    // A failure of the tar ends the compressor with it.
    const compressed: AsyncIterable<Buffer> = chain(inBlocks(tar), compressor, () => undefined);
    for await (const chunk of compressed) {
      onChunk(chunk);
      yield chunk;
    }
  }
}

/** The bytes that a compressor gets at a time: what it makes depends on that. */
const blockBytes = 256 * 1024;

/** Yields the bytes in blocks of one size, but for the last. */
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

/** Removes what a run that was killed has left. */
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
