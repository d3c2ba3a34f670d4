import { lchown, lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "./errors.ts";

/** A user of the machine and its group, by number. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Returns the owner of the path itself, without following a link; undefined if it does not exist. */
export async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await lstat(path);
    return { uid, gid };
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}

/**
 * Transfers a directory, and everything in it that belongs to its owner, to another account. No process may run as
 * that owner meanwhile. A file with several names may be a system file that the owner linked: it is left unchanged,
 * as are the files of others.
 */
export async function chownTree(directory: string, account: Account): Promise<void> {
  const { uid: from } = await lstat(directory);
  await chownEntries(directory, from, account);
  await lchown(directory, account.uid, account.gid);
}

async function chownEntries(directory: string, from: number, account: Account): Promise<void> {
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name);
    const { uid, nlink } = await lstat(path);
    const isDirectory = entry.isDirectory();
    if (isDirectory) await chownEntries(path, from, account);
    if (uid === from && (isDirectory || nlink === 1)) {
      await lchown(path, account.uid, account.gid);
    }
  }
}
