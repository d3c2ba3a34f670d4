import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";

import { hasApt } from "./glibc.ts";
import { packTree } from "./pack-tree.ts";
import { type Architecture, lockedPackage, nodePackage, root } from "./parts.ts";
import { runProgram } from "./run-program.ts";
import { bundles, collectTree, commandParts, copies, type Report } from "./tree.ts";

/** The compressions by the endings of their files: what every busybox unpacks, and what is a quarter smaller. */
export const compressions = {
  "tar.gz": (): Transform => createGzip({ level: constants.Z_BEST_COMPRESSION }),
  "tar.zst": (): Transform =>
    createZstdCompress({
      params: {
        [constants.ZSTD_c_compressionLevel]: 15,
        [constants.ZSTD_c_checksumFlag]: 1,
        // 64 MiB behind: `zstd -d` needs no option for it, and as much memory.
        [constants.ZSTD_c_windowLog]: 26,
      },
    }),
} as const;

export type Compression = keyof typeof compressions;

export interface ArchiveOptions {
  readonly architecture: Architecture;
  readonly compression: Compression;
  /** The directory of the archives. */
  readonly output: string;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Writes the archive `slipway-linux-<architecture>.<compression>` with its sum beside it, unless the one in the directory is
 * made of the same parts. Returns its path. A reader sees the old archive or the new one, never a part.
 */
export async function writeArchive(options: ArchiveOptions): Promise<string> {
  const { architecture, compression, output, report, signal } = options;
  await runProgram([process.execPath, "tools/build-agent.ts"], { cwd: root, signal });
  const path = join(output, `slipway-linux-${architecture}.${compression}`);
  const key = await inputsKey(architecture, { signal });
  if (await isMadeOf(path, key)) return path;

  await mkdir(output, { recursive: true });
  await removeUnfinished(path);
  const work = await mkdtemp(join(tmpdir(), "slipway-archive-"));
  const unfinished = `${path}.new-${process.pid}`;
  try {
    const files = await collectTree(architecture, { directory: work, signal }, report);
    report(`compressing ${path}`);
    const hash = createHash("sha256");
    const compressed = packTree(files).pipe(compressions[compression]());
    compressed.on("data", (chunk: Buffer) => hash.update(chunk));
    await pipeline(compressed, createWriteStream(unfinished), { signal });
    await writeFile(`${path}.sha256`, `${hash.digest("hex")}  ${path.replace(/^.*\//, "")}\n`);
    await rename(unfinished, path);
    await writeFile(keyFile(path), key);
    report(`made ${path}: ${megabytes((await stat(path)).size)} MB`);
  } finally {
    await rm(unfinished, { force: true });
    await rm(work, { recursive: true, force: true });
  }
  return path;
}

/**
 * Returns what tells whether an archive is up to date: the sum of everything of the clone that goes into it, and of whether
 * it has a C library.
 */
async function inputsKey(
  architecture: Architecture,
  { signal }: Pick<ArchiveOptions, "signal">,
): Promise<string> {
  const hash = createHash("sha256");
  const tools = (await readdir(join(root, "tools/archive"))).map((name) => `tools/archive/${name}`);
  const files = [
    ...Object.values(bundles),
    ...Object.values(copies),
    ...commandParts,
    ...tools.toSorted(),
  ];
  for (const file of files.filter((name) => !name.endsWith(".test.ts"))) {
    hash.update(`${file}\n`).update(await readFile(join(root, file)));
  }
  const packages = [
    nodePackage(architecture),
    await lockedPackage("sodium-native"),
    await lockedPackage("@lydell/node-pty"),
  ];
  return hash.update(JSON.stringify([packages, await hasApt({ signal })])).digest("hex");
}

function keyFile(path: string): string {
  return `${path}.inputs`;
}

async function isMadeOf(path: string, key: string): Promise<boolean> {
  try {
    await stat(path);
    return (await readFile(keyFile(path), "utf8")) === key;
  } catch {
    return false; // One of the two is not there.
  }
}

/** Removes what a run that was killed has left. */
async function removeUnfinished(path: string): Promise<void> {
  const [, directory = ".", name = ""] = /^(.*)\/([^/]+)$/.exec(path) ?? [];
  for (const entry of await readdir(directory)) {
    if (entry.startsWith(`${name}.new-`)) await rm(join(directory, entry), { force: true });
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
