import { Readable } from "node:stream";

import { readBounded } from "@slipway/runtime";
import { extract, type Header, type Pack, pack } from "tar-stream";

import { DriverError } from "../errors.ts";
import { openArchive, putArchive } from "./engine-containers.ts";
import type { Engine } from "./engine.ts";

/* Files of a container that does not run, which the engine passes as tars. */

const maxFileBytes = 1024 * 1024;

/** The owner and the mode of a path. */
export interface PathOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly isDirectory: boolean;
}

export interface NewFile {
  /** Relative to the root; of a directory, with a slash at its end. */
  readonly path: string;
  readonly content: string;
  readonly owner: Pick<PathOwner, "uid" | "gid" | "mode">;
}

/** Reads a file; resolves to undefined if there is none at the path. */
export async function readContainerFile(
  engine: Engine,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return firstEntry(engine, { id, path, signal }, async ({ header, content }) => {
    if (header.type !== "file") return undefined;
    const bytes = await readBounded(content, maxFileBytes);
    if (bytes !== undefined) return bytes.toString();
    throw new DriverError("not-startable", `${path} in the image exceeds ${maxFileBytes} bytes`);
  });
}

/** Returns the owner of a path, which is not followed if it is a link; undefined if there is no such path. */
export async function readOwner(
  engine: Engine,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<PathOwner | undefined> {
  return firstEntry(engine, { id, path, signal }, async ({ header }) => ({
    uid: header.uid ?? 0,
    gid: header.gid ?? 0,
    mode: header.mode ?? 0,
    isDirectory: header.type === "directory",
  }));
}

/** Returns whether a directory has no entries. */
export async function isEmptyDirectory(
  engine: Engine,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
  let entries = 0;
  await eachEntry(engine, { id, path, signal }, async () => {
    entries += 1;
    return entries > 1 ? true : undefined;
  });
  // The first one is the directory.
  return entries <= 1;
}

/** Writes files and directories; a directory that exists gets the owner and the mode, and keeps its content. */
export async function writeContainerFiles(
  engine: Engine,
  id: string,
  files: readonly NewFile[],
  signal: AbortSignal,
): Promise<void> {
  await putArchive(engine, id, { path: "/", tar: packFiles(files) }, signal);
}

export function packFiles(files: readonly NewFile[]): Pack {
  const tar = pack();
  for (const { path, content, owner } of files) {
    const type = path.endsWith("/") ? "directory" : "file";
    const header = { name: path, type, ...owner } as const;
    if (type === "directory") tar.entry(header);
    else tar.entry(header, content);
  }
  tar.finalize();
  return tar;
}

interface ArchiveEntry {
  readonly header: Header;
  readonly content: AsyncIterable<Uint8Array>;
}

interface ContainerPath {
  readonly id: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Passes the first entry of a path's tar to `use`, and drops the rest. */
async function firstEntry<T>(
  engine: Engine,
  path: ContainerPath,
  use: (entry: ArchiveEntry) => Promise<T | undefined>,
): Promise<T | undefined> {
  const found = await eachEntry(engine, path, async (entry) => ({ used: await use(entry) }));
  return found?.used;
}

/** Passes the entries of a path's tar to `use` until it returns something, and drops the rest. */
async function eachEntry<T>(
  engine: Engine,
  { id, path, signal }: ContainerPath,
  use: (entry: ArchiveEntry) => Promise<T | undefined>,
): Promise<T | undefined> {
  const tar = await openArchive(engine, id, path, signal);
  if (tar === undefined) return undefined;
  const entries = extract();
  tar.on("error", (error) => entries.destroy(error));
  tar.pipe(entries);
  try {
    for await (const entry of entries) {
      const used = await use({ header: entry.header, content: Readable.from(entry) });
      if (used !== undefined) return used;
      entry.resume();
    }
    return undefined;
  } catch (error) {
    throw engine.connection.failure({ path, signal }, error);
  } finally {
    tar.destroy();
    entries.destroy();
  }
}
