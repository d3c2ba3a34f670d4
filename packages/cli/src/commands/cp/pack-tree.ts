import { constants, type Stats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

import type { FileEntry } from "@slipway/api/agents/file-routes";
import { errorText } from "@slipway/runtime";
import { type Pack, pack } from "tar-stream";

import { CommandError } from "../../command/errors.ts";
import { permissionBits, resumableBytes } from "./copy.ts";
import { isSameFile } from "./same-file.ts";

/** A file that is too large for the archive of a tree. */
export interface LargeFile {
  /** The path from the top of the tree. */
  readonly name: string;
  readonly path: string;
  readonly stats: Stats;
}

interface PackOptions {
  /** Files that are there already, by the path from the top; copies of them are left out. */
  readonly known: ReadonlyMap<string, FileEntry>;
  /** Gets the files that are left out because they can be continued by themselves. */
  readonly large: LargeFile[];
  /** Gets what cannot be copied, with the reasons. */
  readonly skipped: Set<string>;
  readonly signal: AbortSignal;
}

/** Returns the tar of a directory of this machine. Links are not followed; sockets and devices are left out. */
export function packTree(
  directory: string,
  options: PackOptions,
): AsyncIterable<Buffer<ArrayBuffer>> {
  const tar = pack();
  addDirectory(tar, directory, "", options).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(errorText(error))),
  );
  return chunksOf(tar);
}

async function* chunksOf(tar: Pack): AsyncGenerator<Buffer<ArrayBuffer>> {
  for await (const chunk of tar) if (chunk instanceof Uint8Array) yield Buffer.from(chunk);
}

async function addDirectory(
  tar: Pack,
  directory: string,
  prefix: string,
  options: PackOptions,
): Promise<void> {
  const names = await readdir(directory, { encoding: "buffer" });
  for (const name of names.toSorted((one, other) => one.compare(other))) {
    options.signal.throwIfAborted();
    const text = name.toString();
    const path = `${directory.replace(/\/$/, "")}/${text}`;
    if (Buffer.from(text).equals(name)) await addEntry(tar, path, prefix + text, options);
    else options.skipped.add(`${path} has a name that is not UTF-8, skipped`);
  }
}

async function addEntry(
  tar: Pack,
  path: string,
  name: string,
  options: PackOptions,
): Promise<void> {
  const stats = await lstat(path);
  const header = { name, mode: stats.mode & permissionBits, mtime: stats.mtime };
  const known = options.known.get(name);
  if (stats.isDirectory()) {
    if (known?.type !== "directory") await added(tar, { ...header, type: "directory" });
    await addDirectory(tar, path, `${name}/`, options);
  } else if (stats.isSymbolicLink()) {
    const linkname = await readlink(path);
    if (known?.link_target !== linkname) await added(tar, { ...header, type: "symlink", linkname });
  } else if (stats.isFile()) {
    if (known !== undefined && isSameFile(stats, known)) return;
    if (stats.size < resumableBytes) await addFile(tar, path, header, options);
    else options.large.push({ name, path, stats });
  }
}

interface EntryHeader {
  readonly name: string;
  readonly mode: number;
  readonly mtime: Date;
}

async function addFile(
  tar: Pack,
  path: string,
  header: EntryHeader,
  { signal }: PackOptions,
): Promise<void> {
  try {
    // Another thing may have taken its place.
    await using file = await open(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const { size, mtime } = await file.stat();
    const sink = tar.entry({ ...header, mtime, type: "file", size });
    // A file that grows is copied up to the size in its header.
    const content = size === 0 ? [] : file.createReadStream({ end: size - 1, autoClose: false });
    await pipeline(content, sink, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new CommandError(`cannot read ${path}: ${errorText(error)}`);
  }
}

function added(tar: Pack, header: Parameters<Pack["entry"]>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, (error) => (error instanceof Error ? reject(error) : resolve()));
  });
}
