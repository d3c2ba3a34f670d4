import { randomUUID } from "node:crypto";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

import { removeWorkspace } from "../process/workspace-directory.ts";

/** The beginning of names that no workspace has. */
const prefix = ".discarded-";

/**
 * Takes a directory in `root` away, if it is there, and removes it and what earlier calls could not remove: programs that a run
 * left behind may still create files in it.
 */
export async function discardDirectory(root: string, directory: string): Promise<void> {
  try {
    await rename(directory, join(root, `${prefix}${randomUUID()}`));
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  const discarded = (await readdir(root)).filter((name) => name.startsWith(prefix));
  // What cannot be removed now may be removed by a later call.
  await Promise.allSettled(discarded.map((name) => removeWorkspace(root, join(root, name))));
}
