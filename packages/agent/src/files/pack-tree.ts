import { constants, type Stats } from "node:fs";
import { access, type FileHandle, lstat, open, readlink, realpath } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { Pack } from "tar-stream";

import { fileTurns } from "../process/turns.ts";
import { rightsBits } from "./describe-file.ts";
import { FileError, namedError } from "./errors.ts";
import { HeldDirectory } from "./held-directory.ts";
import { openWithoutEffect } from "./open-file.ts";
import { anyBytes, pathText, splitPath } from "./paths.ts";
import { addEntry, entryTime, writeTar } from "./tar-writer.ts";
import { readEntries, type TreeEntry } from "./tree-entries.ts";

/** The default maximum number of entries of an archive, and of one directory. */
const usualLimits = { maxEntries: 1_000_000, maxDirectoryEntries: 100_000 };
/** The maximum depth of a tree: each level holds a descriptor. */
const maxDepth = 128;
const chunkBytes = 256 * 1024;

interface PackNeeds {
  readonly limits?: typeof usualLimits;
  readonly owner: object;
  readonly signal: AbortSignal;
}

/**
 * Returns the tar of a tree: its files, directories and links, which are not followed. Names are relative to the
 * directory; a file is archived by its own name. Checks first that everything can be read. Throws `FileError`, the errors
 * of the system with their paths, and the signal's reason.
 */
export async function packTree(named: Buffer, needs: PackNeeds): Promise<Readable> {
  const { owner } = needs;
  // The path itself may be a link.
  const path = await fileTurns.run(owner, () => realpath(named, "buffer"));
  const stats = await fileTurns.run(owner, () => lstat(path));
  if (stats.isDirectory()) await checkReadable(path, needs);
  else await fileTurns.run(owner, () => access(path, constants.R_OK));
  return writeTar((tar) =>
    stats.isDirectory()
      ? packDirectory(tar, { path, prefix: "", depth: 0 }, needs)
      : packEntry(tar, { path, name: pathText(splitPath(named).name), depth: 0 }, needs),
  );
}

/** Throws for the first entry that cannot be read. */
async function checkReadable(path: Buffer, needs: PackNeeds): Promise<void> {
  const { owner, signal, limits: { maxEntries } = usualLimits } = needs;
  let entries = 0;
  const check = async (directory: Buffer, prefix: string, depth: number): Promise<void> => {
    if (depth > maxDepth) {
      throw new FileError("too-large", `${prefix} is nested deeper than ${maxDepth} levels`);
    }
    await using held = await opened(directory, prefix, owner);
    for (const { name, isDirectory, isFile } of await entriesOf(held, prefix, needs)) {
      signal.throwIfAborted();
      entries += 1;
      if (entries > maxEntries) {
        throw new FileError("too-large", `the tree has more than ${maxEntries} entries`);
      }
      const shown = prefix + textOf(name);
      if (isDirectory) await check(held.child(name), `${shown}/`, depth + 1);
      else if (isFile) {
        await withName(shown, () =>
          fileTurns.run(owner, () => access(held.child(name), constants.R_OK)),
        );
      }
    }
  };
  await check(path, "", 0);
}

interface PackedDirectory {
  readonly path: Buffer;
  /** The names of the directories above, each with a slash. */
  readonly prefix: string;
  readonly depth: number;
}

async function packDirectory(
  tar: Pack,
  { path, prefix, depth }: PackedDirectory,
  needs: PackNeeds,
): Promise<void> {
  if (depth > maxDepth) {
    throw new FileError("too-large", `${prefix} is nested deeper than ${maxDepth} levels`);
  }
  await using held = await opened(path, prefix, needs.owner);
  for (const { name } of await entriesOf(held, prefix, needs)) {
    needs.signal.throwIfAborted();
    await packEntry(tar, { path: held.child(name), name: prefix + textOf(name), depth }, needs);
  }
}

interface PackedEntry {
  readonly path: Buffer;
  readonly name: string;
  readonly depth: number;
}

/** Adds an entry; one that has gone meanwhile, a socket, a FIFO or a device is left out. */
async function packEntry(tar: Pack, entry: PackedEntry, needs: PackNeeds): Promise<void> {
  const { path, name, depth } = entry;
  const { owner } = needs;
  const stats = await fileTurns.run(owner, () => lstat(path)).catch(() => undefined);
  if (stats === undefined) return;
  if (stats.isDirectory()) {
    await addEntry(tar, { ...headerOf(name, stats), type: "directory" });
    await packDirectory(tar, { path, prefix: `${name}/`, depth: depth + 1 }, needs);
  } else if (stats.isSymbolicLink()) {
    const linkname = await fileTurns.run(owner, () => readlink(path));
    await addEntry(tar, { ...headerOf(name, stats), type: "symlink", linkname });
  } else if (stats.isFile()) {
    await withName(name, () => packFile(tar, entry, needs));
  }
}

async function packFile(tar: Pack, { path, name }: PackedEntry, needs: PackNeeds): Promise<void> {
  const { owner, signal } = needs;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | openWithoutEffect;
  const file = await fileTurns.run(owner, () => open(path, flags));
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return;
    const { size } = stats;
    const sink = tar.entry({ ...headerOf(name, stats), type: "file", size });
    await pipeline(Readable.from(contentOf(file, size, owner)), sink, { signal });
  } finally {
    await file.close();
  }
}

/** Reads as many bytes as the header says, even if the file has grown. */
async function* contentOf(file: FileHandle, size: number, owner: object): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const wanted = Math.min(chunkBytes, size - at);
    const chunk = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await fileTurns.run(owner, () => file.read(chunk, 0, wanted, at));
    if (bytesRead === 0) throw new Error("the file has become shorter while it was read");
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

function headerOf(name: string, { mode, mtimeMs }: Stats) {
  return { name, mode: mode & rightsBits, mtime: entryTime(mtimeMs) };
}

function opened(path: Buffer, shown: string, owner: object): Promise<HeldDirectory> {
  return withName(shown, () => fileTurns.run(owner, () => HeldDirectory.open(path)));
}

async function entriesOf(
  directory: HeldDirectory,
  shown: string,
  { owner, limits: { maxDirectoryEntries } = usualLimits }: PackNeeds,
): Promise<readonly TreeEntry[]> {
  const entries = await fileTurns.run(owner, () =>
    readEntries(directory.path, maxDirectoryEntries + 1),
  );
  if (entries.length <= maxDirectoryEntries) return entries;
  const what = shown === "" ? "the directory" : shown;
  throw new FileError("too-large", `${what} has more than ${maxDirectoryEntries} entries`);
}

function textOf(name: string): string {
  return Buffer.from(name, anyBytes).toString();
}

async function withName<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw path === "" ? error : namedError(path, error);
  }
}
