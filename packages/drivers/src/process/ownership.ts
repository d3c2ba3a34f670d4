import { chmod, chown, lstat, mkdir } from "node:fs/promises";

import { systemErrorCode } from "@slipway/runtime";
import { type Account, chownTree } from "@slipway/runtime/ownership";

import { DriverError } from "../errors.ts";

/** Lets a user traverse a directory of ours, and nothing else. */
export async function allowTraversal(directory: string, { gid }: Account): Promise<void> {
  await chown(directory, process.getuid?.() ?? 0, gid);
  await chmod(directory, 0o710);
}

/**
 * Creates a directory owned by the user, or transfers the existing one with all that its owner had in it. Throws
 * `unsafe-path` for a link or a file.
 */
export async function makeOwnedDirectory(path: string, user: Account): Promise<void> {
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
  await chownTree(path, user);
  await chmod(path, 0o700);
}
