import { chmod, mkdir, opendir, rename, rmdir, unlink } from "node:fs/promises";

import { systemErrorCode } from "@slipway/runtime";

import { fileTurns } from "../process/turns.ts";
import { FileError } from "./errors.ts";
import { HeldDirectory } from "./held-directory.ts";
import { anyBytes, childPath, pathText, splitPath } from "./paths.ts";
import { existing, makeParents } from "./write-file.ts";

/** The maximum depth of a tree that is removed: each level holds a descriptor. */
const maxDepth = 128;
/** The names that are read of a directory at a time. */
const bufferSize = 256;

/** Moves or renames a file or directory. Throws `FileError` "exists" unless `overwrite`, and the errors of the system. */
export async function movePath(
  from: Buffer,
  to: Buffer,
  { overwrite, owner }: { readonly overwrite: boolean; readonly owner: object },
): Promise<void> {
  await fileTurns.run(owner, async () => {
    if (!overwrite && (await existing(to)) !== undefined) {
      throw new FileError("exists", `${pathText(to)} exists`);
    }
    await rename(from, to);
  });
}

interface DirectoryOptions {
  /** True to create the directories above, and to accept one that exists. */
  readonly makesParents: boolean;
  readonly mode: number | undefined;
  readonly owner: object;
}

export async function makeDirectory(
  path: Buffer,
  { makesParents, mode, owner }: DirectoryOptions,
): Promise<void> {
  await fileTurns.run(owner, async () => {
    if (makesParents) {
      const found = await existing(path);
      if (found?.isDirectory()) return;
      await makeParents(path);
    }
    await mkdir(path);
    if (mode !== undefined) await chmod(path, mode);
  });
}

interface RemoveOptions {
  readonly isRecursive: boolean;
  readonly owner: object;
  readonly signal: AbortSignal;
}

/**
 * Removes a file, a link or a directory, and resolves to the number of removed entries. Never follows a link. Throws
 * `FileError`, the errors of the system, and the signal's reason.
 */
export async function removePath(
  path: Buffer,
  { isRecursive, owner, signal }: RemoveOptions,
): Promise<number> {
  const found = await fileTurns.run(owner, () => existing(path));
  if (found === undefined) throw new FileError("not-found", `${pathText(path)} does not exist`);
  const name = pathText(splitPath(path).name);
  if (["", ".", ".."].includes(name)) {
    throw new FileError("invalid", `${pathText(path)} cannot be removed`);
  }
  if (!found.isDirectory()) {
    await fileTurns.run(owner, () => unlink(path));
    return 1;
  }
  const below = isRecursive ? await emptyDirectory(path, { owner, signal, depth: 0 }) : 0;
  await fileTurns.run(owner, () => rmdir(path));
  return below + 1;
}

interface Emptying {
  readonly owner: object;
  readonly signal: AbortSignal;
  readonly depth: number;
}

/** Removes everything in a directory that is not a link. */
async function emptyDirectory(path: Buffer, { owner, signal, depth }: Emptying): Promise<number> {
  if (depth > maxDepth) {
    throw new FileError("too-large", `the directory is nested deeper than ${maxDepth} levels`);
  }
  await using directory = await fileTurns.run(owner, () => HeldDirectory.open(path));
  let removed = 0;
  for (let names = await readNames(directory, owner); names.length > 0;) {
    for (const name of names) {
      signal.throwIfAborted();
      const child = childPath(directory.path, name);
      removed += (await removeLeaf(child, owner))
        ? 1
        : await removeBranch(child, { owner, signal, depth: depth + 1 });
    }
    names = await readNames(directory, owner);
  }
  return removed;
}

async function removeBranch(path: Buffer, emptying: Emptying): Promise<number> {
  const below = await emptyDirectory(path, emptying);
  await fileTurns.run(emptying.owner, () => rmdir(path));
  return below + 1;
}

/** Removes anything but a directory; resolves to false for one. */
async function removeLeaf(path: Buffer, owner: object): Promise<boolean> {
  try {
    await fileTurns.run(owner, () => unlink(path));
    return true;
  } catch (error) {
    // Linux says the first, POSIX the second.
    if (["EISDIR", "EPERM"].includes(systemErrorCode(error) ?? "")) {
      const found = await fileTurns.run(owner, () => existing(path));
      if (found?.isDirectory()) return false;
    }
    throw error;
  }
}

/** Reads the next names of a directory; the earlier ones have been removed. */
async function readNames(directory: HeldDirectory, owner: object): Promise<readonly string[]> {
  return fileTurns.run(owner, async () => {
    const names: string[] = [];
    await using entries = await opendir(directory.path, { encoding: anyBytes, bufferSize });
    while (names.length < bufferSize) {
      const entry = await entries.read();
      if (entry === null) break;
      names.push(entry.name);
    }
    return names;
  });
}
