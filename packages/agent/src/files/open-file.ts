import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";

import { FileError } from "./errors.ts";
import { pathText } from "./paths.ts";

/**
 * The flags of every open: a FIFO without another end, or a lease, would hold up everything, and a terminal that hangs up
 * would end the agent.
 */
export const openWithoutEffect = constants.O_NONBLOCK | constants.O_NOCTTY;

/** An open regular file. Its opener closes it. */
export interface OpenedFile {
  readonly file: FileHandle;
  readonly stats: BigIntStats;
}

/**
 * Opens a regular file, and nothing else: opening a device may have an effect, and reading one may never end. Throws
 * `FileError` "wrong-type", and the errors of the system.
 */
export async function openRegular(path: Buffer, flags: number): Promise<OpenedFile> {
  requireRegular(path, await stat(path, { bigint: true }));
  const file = await open(path, flags | openWithoutEffect);
  try {
    // Another file may have taken the place.
    const stats = await file.stat({ bigint: true });
    requireRegular(path, stats);
    return { file, stats };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Throws `FileError` "wrong-type" for anything but a regular file. */
export function requireRegular(path: Buffer, stats: BigIntStats): void {
  if (stats.isFile()) return;
  const found = stats.isDirectory() ? "a directory" : "not a regular file";
  throw new FileError("wrong-type", `${pathText(path)} is ${found}`);
}
