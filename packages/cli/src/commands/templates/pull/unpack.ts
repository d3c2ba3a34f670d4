import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { extract } from "tar-stream";

import { CommandError } from "../../../command/errors.ts";

interface PulledFile {
  /** Relative, with `/`, and below the directory whatever the tar says. */
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/** Names of written files, and of entries that are not regular files. */
export interface UnpackedFiles {
  readonly names: readonly string[];
  readonly leftOut: readonly string[];
}

/**
 * Writes the files of a tar below a directory. Checks all of them first: throws `CommandError`, with nothing written,
 * for a path outside the directory, and for a file that exists unless `overwrite`.
 */
export async function unpack(
  tar: Uint8Array,
  directory: string,
  { overwrite }: { readonly overwrite: boolean },
): Promise<UnpackedFiles> {
  const { files, leftOut } = await readTar(tar);
  if (!overwrite) await refuseExisting(files, directory);
  for (const file of files) {
    const path = join(directory, file.name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.bytes, { mode: (file.mode & 0o111) === 0 ? 0o644 : 0o755 });
  }
  return { names: files.map(({ name }) => name), leftOut };
}

async function readTar(
  tar: Uint8Array,
): Promise<{ readonly files: readonly PulledFile[]; readonly leftOut: readonly string[] }> {
  const archive = extract();
  archive.end(tar);
  const files: PulledFile[] = [];
  const leftOut: string[] = [];
  for await (const entry of archive) {
    const { name, mode, type } = entry.header;
    const size: number | null | undefined = entry.header.size;
    // The library takes an unreadable size for an endless one.
    if (size === null)
      throw new CommandError("the template is not a tar archive: a file has no size");
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk);
    if (type === "directory") continue;
    const path = safeName(name);
    if (type === "file") files.push({ name: path, mode: mode ?? 0, bytes: Buffer.concat(chunks) });
    else leftOut.push(path);
  }
  return { files, leftOut };
}

function safeName(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const isUnsafe = parts.length === 0 || parts.includes("..") || /^\/|[\\\0]|^[A-Za-z]:/.test(name);
  if (!isUnsafe) return parts.join("/");
  throw new CommandError(
    `the template has a file ${JSON.stringify(name.slice(0, 100))}, which is outside its directory; nothing was written`,
  );
}

async function refuseExisting(files: readonly PulledFile[], directory: string): Promise<void> {
  for (const { name } of files) {
    const path = join(directory, name);
    const exists = await stat(path).then(
      () => true,
      () => false, // missing or inaccessible: writing it tells which
    );
    if (exists) {
      throw new CommandError(`${path} already exists; nothing was written`, {
        hint: "overwrite existing files with --force",
      });
    }
  }
}
