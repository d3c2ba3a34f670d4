import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { hasApt } from "../archive/debian-packages.ts";
import { type ArchiveFile, plain } from "../archive/pack-tree.ts";
import { type Architecture, architectures, releaseVersion } from "../archive/parts.ts";
import type { ToolNeeds } from "../archive/run-tool.ts";
import { inWorkPlace } from "../archive/work-place.ts";
import { writeCompressed } from "../archive/write-compressed.ts";
import { serverFiles } from "./server-files.ts";

interface ReleaseOptions extends ToolNeeds {
  readonly architecture: Architecture;
  /** Collects the files of the agent's archive, all of which a release has. */
  readonly tree: () => Promise<readonly ArchiveFile[]>;
  /** The paths of the archives that the server offers. */
  readonly downloads: readonly string[];
  /** The directory of the release. */
  readonly output: string;
}

/** Writes `slipway-<version>-linux-<x64 or arm64>.tar.gz` with its sum beside it. Returns its path. */
export async function writeRelease(options: ReleaseOptions): Promise<string> {
  const { architecture, tree, downloads, output, report, signal } = options;
  // An image needs its first process, and smallest systems a C library.
  if (!(await hasApt({ signal }))) throw new Error("a release needs apt-get and dpkg-deb");
  const name = `slipway-${await releaseVersion()}-linux-${architectures[architecture].node}`;
  report(`getting the parts of the server for linux/${architecture}`);
  const files = [
    ...(await tree()),
    ...(await inWorkPlace(signal, async (place) => serverFiles(architecture, name, place))),
    ...(await Promise.all(downloads.map(downloadFile))),
  ];
  await mkdir(output, { recursive: true });
  const path = join(output, `${name}.tar.gz`);
  await writeCompressed(path, { directory: name, files, compression: "tar.gz", report, signal });
  return path;
}

async function downloadFile(path: string): Promise<ArchiveFile> {
  return plain(`lib/downloads/${basename(path)}`, await readFile(path));
}
