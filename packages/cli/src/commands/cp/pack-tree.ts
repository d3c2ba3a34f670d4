import { createReadStream, type Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { errorText } from "@slipway/runtime";
import { type Pack, pack } from "tar-stream";

import { CommandError } from "../../command/errors.ts";
import { permissionBits } from "./copy.ts";

interface PackOptions {
  /** True to keep the times of modification. */
  readonly keepsTimes: boolean;
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
  const names = await readdir(directory);
  for (const name of names.toSorted()) {
    options.signal.throwIfAborted();
    await addEntry(tar, join(directory, name), prefix + name, options);
  }
}

async function addEntry(
  tar: Pack,
  path: string,
  name: string,
  options: PackOptions,
): Promise<void> {
  const stats = await lstat(path);
  const header = headerOf(name, stats, options);
  if (stats.isDirectory()) {
    await added(tar, { ...header, type: "directory" });
    await addDirectory(tar, path, `${name}/`, options);
  } else if (stats.isSymbolicLink()) {
    await added(tar, { ...header, type: "symlink", linkname: await readlink(path) });
  } else if (stats.isFile()) {
    const { size } = stats;
    const sink = tar.entry({ ...header, type: "file", size });
    // A file that grows is copied up to the size in its header.
    const content = size === 0 ? [] : createReadStream(path, { end: size - 1 });
    try {
      await pipeline(content, sink, { signal: options.signal });
    } catch (error) {
      options.signal.throwIfAborted();
      throw new CommandError(`cannot read ${path}: ${errorText(error)}`);
    }
  }
}

function headerOf(name: string, { mode, mtime }: Stats, { keepsTimes }: PackOptions) {
  return { name, mode: mode & permissionBits, mtime: keepsTimes ? mtime : new Date() };
}

function added(tar: Pack, header: Parameters<Pack["entry"]>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, (error) => (error instanceof Error ? reject(error) : resolve()));
  });
}
