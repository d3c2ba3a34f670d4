import { mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { systemErrorCode } from "./errors.ts";

/**
 * Makes a directory and its missing parents. With `recursive`, `mkdir` of Node.js loops forever where directories
 * cannot be made, as below `/proc`. Throws the errors of the file system.
 */
export async function makeDirectories(path: string, mode = 0o777): Promise<void> {
  try {
    await makeDirectory(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (systemErrorCode(error) !== "ENOENT" || parent === path) throw error;
    await makeDirectories(parent, mode);
    await makeDirectory(path, mode);
  }
}

/** `makeDirectories` for callers that cannot wait. */
export function makeDirectoriesSync(path: string, mode = 0o777): void {
  try {
    makeDirectorySync(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (systemErrorCode(error) !== "ENOENT" || parent === path) throw error;
    makeDirectoriesSync(parent, mode);
    makeDirectorySync(path, mode);
  }
}

/** Makes one directory, unless it exists. */
async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST" && (await stat(path)).isDirectory()) return;
    throw error;
  }
}

function makeDirectorySync(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST" && statSync(path).isDirectory()) return;
    throw error;
  }
}
