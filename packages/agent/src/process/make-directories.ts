import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

/**
 * Makes a directory, and those above it that are missing. `mkdir` of Node.js with `recursive` tries without end where nobody
 * can make directories, as below `/proc`. Throws the errors of the file system.
 */
export async function makeDirectories(path: string, mode: number): Promise<void> {
  try {
    await makeDirectory(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (systemErrorCode(error) !== "ENOENT" || parent === path) throw error;
    await makeDirectories(parent, mode);
    await makeDirectory(path, mode);
  }
}

/** Makes one directory, unless it is there. */
async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST" && (await stat(path)).isDirectory()) return;
    throw error;
  }
}
