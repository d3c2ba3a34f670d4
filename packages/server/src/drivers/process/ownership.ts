import { chmod, chown, lchown, lstat, mkdir, opendir } from "node:fs/promises";
import { join } from "node:path";

import { DriverError } from "../errors.ts";
import { systemErrorCode } from "./system-error.ts";

/** The user and group of one number that the processes of a workspace run as. */
export interface WorkspaceUser {
  readonly uid: number;
  readonly gid: number;
}

/** Who owns that path itself, a link not followed; undefined when there is nothing. */
export async function ownerOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).uid;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Lets a user pass through a directory of ours, and do nothing else there. */
export async function letPass(directory: string, { gid }: WorkspaceUser): Promise<void> {
  await chown(directory, process.getuid?.() ?? 0, gid);
  await chmod(directory, 0o710);
}

/**
 * Makes a directory of a user's own, or gives them the one that is there with all that its owner had in it. Nothing may
 * run as its owner meanwhile. Throws `unsafe-path` for a link or a file.
 */
export async function giveDirectory(path: string, user: WorkspaceUser): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
  const found = await lstat(path);
  if (!found.isDirectory()) {
    throw new DriverError("unsafe-path", `${path} is a link or a file, wanted a directory`);
  }
  if (found.uid === user.uid) return;
  await giveEntries(path, found.uid, user);
  await lchown(path, user.uid, user.gid);
  await chmod(path, 0o700);
}

/**
 * A file with several names may be one of the system's, to which its former owner made a link: it stays as it is, and so does
 * what belongs to somebody else.
 */
async function giveEntries(directory: string, from: number, user: WorkspaceUser): Promise<void> {
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name);
    const { uid, nlink } = await lstat(path);
    const isDirectory = entry.isDirectory();
    if (isDirectory) await giveEntries(path, from, user);
    if (uid === from && (isDirectory || nlink === 1)) await lchown(path, user.uid, user.gid);
  }
}
