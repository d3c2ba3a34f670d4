import { lstat, readlink, realpath } from "node:fs/promises";

import { systemErrorCode } from "@slipway/runtime";

import { FileError } from "./errors.ts";
import { childPath, pathText, splitPath } from "./paths.ts";

/** The maximum number of symbolic links, as on Linux. */
const maxLinks = 40;

/**
 * Resolves the links and dots of a path; what does not exist at its end stays as it is. Throws `FileError` "invalid" for
 * too many links, and the errors of the system.
 */
export async function resolvePath(path: Buffer, links = 0): Promise<Buffer> {
  if (links > maxLinks) {
    throw new FileError("invalid", `the path leads through more than ${maxLinks} links`);
  }
  try {
    return await realpath(path, "buffer");
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  const { directory, name } = splitPath(path);
  const target = await linkTarget(path);
  if (target !== undefined) {
    const next = target[0] === 0x2f ? target : childPath(directory, target);
    return resolvePath(next, links + 1);
  }
  if (name.length === 0) return path;
  const parent = await resolvePath(directory, links);
  const text = pathText(name);
  if (text === ".") return parent;
  return text === ".." ? splitPath(parent).directory : childPath(parent, name);
}

/** Resolves to the target of a link; undefined for anything else. */
async function linkTarget(path: Buffer): Promise<Buffer | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isSymbolicLink() ? await readlink(path, "buffer") : undefined;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
