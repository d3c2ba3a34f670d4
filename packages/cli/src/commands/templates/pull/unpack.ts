import { constants } from "node:fs";
import { lstat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";
import { extract } from "tar-stream";

import { CommandError } from "../../../command/errors.ts";

interface PulledFile {
  /** Relative, with `/`, and below the directory whatever the tar says. */
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/** Names of written files, and of entries that are left out: no regular files, or files of Git. */
export interface UnpackedFiles {
  readonly names: readonly string[];
  readonly leftOut: readonly string[];
}

/**
 * Writes the files of a tar below a directory. Checks all of them first: throws `CommandError`, with nothing written,
 * for a path outside the directory, for a link in the place of a file, and for a file that exists unless `overwrite`.
 */
export async function unpack(
  tar: Uint8Array,
  directory: string,
  { overwrite }: { readonly overwrite: boolean },
): Promise<UnpackedFiles> {
  const { files, leftOut } = await readTar(tar);
  for (const { name } of files) await refuseExisting(join(directory, name), overwrite);
  const kind = overwrite ? constants.O_TRUNC : constants.O_EXCL;
  const flag = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | kind;
  for (const file of files) {
    const path = join(directory, file.name);
    await makeDirectories(dirname(path));
    await writeFile(path, file.bytes, { flag, mode: (file.mode & 0o111) === 0 ? 0o644 : 0o755 });
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
    if (type === "file" && !isOfGit(path))
      files.push({ name: path, mode: mode ?? 0, bytes: Buffer.concat(chunks) });
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

/** Throws `CommandError` for a file that is there; with `overwrite` for a link, a directory or a device in its place. */
async function refuseExisting(path: string, overwrite: boolean): Promise<void> {
  // What is inaccessible is reported when it is written.
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || (overwrite && found.isFile())) return;
  if (overwrite) {
    throw new CommandError(`${path} is not a regular file; nothing was written`, {
      hint: "remove it first",
    });
  }
  throw new CommandError(`${path} already exists; nothing was written`, {
    hint: "overwrite existing files with --force",
  });
}

/** Git runs programs that it finds in its directory, and keeps it out of archives itself. */
function isOfGit(path: string): boolean {
  return path.split("/").some((part) => part.toLowerCase() === ".git");
}
