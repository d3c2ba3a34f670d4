import { opendir } from "node:fs/promises";

import { anyBytes } from "./paths.ts";

/** The names that are read of a directory at a time. */
const bufferSize = 1_024;

/** An entry of a directory; a link is neither a directory nor a file. */
export interface TreeEntry {
  /** Without loss of bytes. */
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isFile: boolean;
}

/** Reads up to `max` entries of a directory, and returns them in the order of their names' bytes. */
export async function readEntries(path: Buffer, max: number): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  await using directory = await opendir(path, { encoding: anyBytes, bufferSize });
  while (entries.length < max) {
    const entry = await directory.read();
    if (entry === null) break;
    entries.push({ name: entry.name, isDirectory: entry.isDirectory(), isFile: entry.isFile() });
  }
  return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
