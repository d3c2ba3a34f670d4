import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { createGzip } from "node:zlib";

import { type DebianPackages, hasApt } from "../archive/debian-packages.ts";
import { type ArchiveFile, packTree, plain, withoutEnd } from "../archive/pack-tree.ts";
import { type Architecture, architectures, releaseVersion } from "../archive/parts.ts";
import type { ToolNeeds } from "../archive/run-tool.ts";
import { inWorkPlace } from "../archive/work-place.ts";
import { compressions, writeCompressed } from "../archive/write-compressed.ts";
import { serverFiles } from "./server-files.ts";

interface ReleaseOptions extends ToolNeeds {
  readonly architecture: Architecture;
  /** Collects the files of the agent's archive, all of which are in a release. */
  readonly tree: () => Promise<readonly ArchiveFile[]>;
  readonly debian: DebianPackages;
  /** The paths of the archives that the server offers for download. */
  readonly downloads: Promise<readonly string[]>;
  /** The directory of the release. */
  readonly output: string;
}

/**
 * Writes `slipway-<version>-linux-<x64 or arm64>.tar.gz` with its checksum next to it. The downloads in it are not
 * compressed again. Returns its path.
 */
export async function writeRelease(options: ReleaseOptions): Promise<string> {
  const { architecture, tree, debian, downloads, output, report, signal } = options;
  // An image needs its first process, and minimal systems a C library.
  if (!(await hasApt({ signal }))) throw new Error("a release needs apt-get and dpkg-deb");
  const name = `slipway-${await releaseVersion()}-linux-${architectures[architecture].node}`;
  report(`getting the parts of the server for linux/${architecture}`);
  const [agent, server, archives] = await Promise.all([
    tree(),
    inWorkPlace(signal, async (place) => serverFiles(architecture, { name, debian }, place)),
    downloads,
  ]);
  const files = [...agent, ...server];
  const packed = await Promise.all(archives.map(downloadFile));
  await mkdir(output, { recursive: true });
  const path = join(output, `${name}.tar.gz`);
  const parts = [
    {
      tar: withoutEnd(packTree(name, files)),
      compressor: compressions["tar.gz"](),
    },
    { tar: packTree(name, packed, files), compressor: createGzip({ level: 0 }) },
  ];
  await writeCompressed(path, { parts, report, signal });
  return path;
}

async function downloadFile(path: string): Promise<ArchiveFile> {
  return plain(`lib/downloads/${basename(path)}`, await readFile(path));
}
