import { lstat, readdir, readlink, rename, symlink } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

import { CommandError } from "../../command/errors.ts";

/** A symbolic link to make. */
export interface Link {
  readonly path: string;
  /** The file or directory of the clone that it points to. */
  readonly target: string;
  /** True if something else is at the path. */
  readonly isTaken: boolean;
}

/**
 * Returns the links that a directory lacks to have all dotfiles of a clone. A directory on both sides is not replaced:
 * its entries are linked. No symbolic link is followed on either side, so nothing outside of the directory changes.
 * Both paths must be real ones. Throws `CommandError` if a link would replace the clone, or a part of it.
 */
export async function planLinks(clone: string, directory: string): Promise<readonly Link[]> {
  const names = (await readdir(clone)).filter(isDotfile).toSorted();
  const links = await Promise.all(
    names.map((name) => planLink(join(clone, name), join(directory, name), clone)),
  );
  return links.flat();
}

/** Returns whether an entry of a clone is installed: those of Git are not, except its settings. */
function isDotfile(name: string): boolean {
  return name.startsWith(".") && (!name.startsWith(".git") || name === ".gitconfig");
}

async function planLink(target: string, path: string, clone: string): Promise<readonly Link[]> {
  if (contains(clone, path)) {
    throw new CommandError(`cannot link ${path}: it is in the clone of the dotfiles`);
  }
  const existing = await entryAt(path);
  if (existing === undefined) return [{ path, target, isTaken: false }];
  if (existing.isSymbolicLink() && resolve(dirname(path), await readlink(path)) === target)
    return [];
  if (existing.isDirectory() && (await entryAt(target))?.isDirectory() === true) {
    // A submodule has an entry of Git's own.
    const names = (await readdir(target)).filter((name) => name !== ".git").toSorted();
    const below = names.map((name) => planLink(join(target, name), join(path, name), clone));
    return (await Promise.all(below)).flat();
  }
  if (contains(path, clone)) {
    throw new CommandError(`cannot replace ${path}: the clone of the dotfiles is in it`, {
      hint: "clone them elsewhere with --repo-dir",
    });
  }
  return [{ path, target, isTaken: true }];
}

/** Returns whether a path is a directory, or in it. */
function contains(directory: string, path: string): boolean {
  return `${path}${sep}`.startsWith(`${directory}${sep}`);
}

/**
 * Makes a link. Whatever is at its path is renamed first; resolves with its new path, or undefined if there was
 * nothing. If the link cannot be made, the path is as it was.
 */
export async function makeLink({ path, target, isTaken }: Link): Promise<string | undefined> {
  const backup = isTaken ? await freeBackup(path) : undefined;
  if (backup !== undefined) await rename(path, backup);
  try {
    await symlink(target, path);
  } catch (error) {
    if (backup !== undefined) await rename(backup, path);
    throw error;
  }
  return backup;
}

/** Returns the first of `.bak`, `.bak2`, … that does not exist. */
async function freeBackup(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const backup = `${path}.bak${number === 1 ? "" : number}`;
    if ((await entryAt(backup)) === undefined) return backup;
  }
}

async function entryAt(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
