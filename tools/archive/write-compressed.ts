import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";

import { type ArchiveFile, packTree } from "./pack-tree.ts";
import type { Report } from "./tree.ts";

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
        // 64 MiB behind: `zstd -d` needs no option for it, and as much memory.
        [constants.ZSTD_c_windowLog]: 26,
      },
    }),
} as const;

export type Compression = keyof typeof compressions;

interface CompressedOptions {
  /** The directory in the archive that holds its files. */
  readonly directory: string;
  readonly files: readonly ArchiveFile[];
  readonly compression: Compression;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Writes an archive, and its SHA-256 beside it, as `sha256sum --check` reads it. A reader sees the old archive or the new
 * one, never a part.
 */
export async function writeCompressed(path: string, options: CompressedOptions): Promise<void> {
  const { directory, files, compression, report, signal } = options;
  await removeUnfinished(path);
  const unfinished = `${path}.new-${process.pid}`;
  try {
    report(`compressing ${path}`);
    const hash = createHash("sha256");
    const compressed = packTree(directory, files).pipe(compressions[compression]());
    compressed.on("data", (chunk: Buffer) => hash.update(chunk));
    await pipeline(compressed, createWriteStream(unfinished), { signal });
    await writeFile(`${path}.sha256`, `${hash.digest("hex")}  ${basename(path)}\n`);
    await rename(unfinished, path);
    report(`made ${path}: ${megabytes((await stat(path)).size)} MB`);
  } finally {
    await rm(unfinished, { force: true });
  }
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
