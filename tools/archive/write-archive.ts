import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline as chain } from "node:stream";

import { hasApt } from "./debian-packages.ts";
import { type ArchiveFile, packTree } from "./pack-tree.ts";
import { type Architecture, lockedPackage, nodePackage, root } from "./parts.ts";
import { bundles, commandParts, copies, type Report } from "./tree.ts";
import {
  type Compression,
  compressions,
  decompressors,
  writeCompressed,
} from "./write-compressed.ts";

export interface ArchiveOptions {
  readonly architecture: Architecture;
  readonly compression: Compression;
  /** Collects the files of the archive. */
  readonly tree: () => Promise<readonly ArchiveFile[]>;
  /** The directory of the archives. */
  readonly output: string;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Writes the archive `slipway-linux-<architecture>.<compression>` with its checksum next to it, unless the existing
 * one is made of the same parts. Returns its path. The bundles must be up to date.
 */
export async function writeArchive(options: ArchiveOptions): Promise<string> {
  const { architecture, compression, output, report, signal } = options;
  const path = join(output, `slipway-linux-${architecture}.${compression}`);
  const key = await inputsKey(architecture, { signal });
  if (await isMadeOf(path, key)) return path;

  await mkdir(output, { recursive: true });
  const tar = (await siblingTar(path, key)) ?? packTree("slipway", await options.tree());
  const parts = [{ tar, compressor: compressions[compression]() }];
  await writeCompressed(path, { parts, report, signal });
  await writeFile(keyFile(path), key);
  return path;
}

/** Returns the tar of an archive of the same parts with another compression; undefined if there is none. */
async function siblingTar(path: string, key: string): Promise<AsyncIterable<Buffer> | undefined> {
  for (const [ending, decompressor] of Object.entries(decompressors)) {
    const sibling = path.replace(/tar\.\w+$/, ending);
    if (!(await isMadeOf(sibling, key))) continue;
    return chain(createReadStream(sibling), decompressor(), () => undefined);
  }
  return undefined;
}

/**
 * Returns a key that tells whether an archive is up to date: the checksum of every input from the clone and of
 * whether it includes a C library.
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
