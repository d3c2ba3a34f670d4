import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { type Pack, pack } from "tar-stream";

export interface ContextOptions {
  /** A file to add at the top, instead of one of its name. */
  readonly file: { readonly name: string; readonly content: string };
  readonly signal: AbortSignal;
}

/**
 * Packs a directory of a template as the context of an image's build. Links are packed as links. A `.dockerignore` has
 * no effect: template archives are small. The caller destroys the stream.
 */
export function packContext(directory: string, { file, signal }: ContextOptions): Pack {
  const tar = pack();
  const addAll = async (): Promise<void> => {
    tar.entry({ name: file.name, mode: 0o644 }, file.content);
    for (const name of (await readdir(directory, { recursive: true })).toSorted()) {
      signal.throwIfAborted();
      if (name !== file.name) await addPath(tar, directory, name);
    }
    tar.finalize();
  };
  addAll().catch((error: unknown) => tar.destroy(error instanceof Error ? error : undefined));
  return tar;
}

async function addPath(tar: Pack, directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  const found = await lstat(path);
  const header = { name, mode: found.mode & 0o777, mtime: new Date(0) };
  if (found.isSymbolicLink()) {
    tar.entry({ ...header, type: "symlink", linkname: await readlink(path) });
  } else if (found.isDirectory()) {
    tar.entry({ ...header, type: "directory" });
  } else if (found.isFile()) {
    await pipeline(createReadStream(path), tar.entry({ ...header, size: found.size }));
  }
}
