import { chown, mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import type { Account } from "@slipway/runtime/ownership";

import { socketPort } from "./settings.ts";

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the final zero. */
const maxSocketPathBytes = 103;
const fallbackPrefix = "slipway-postgres-";

/**
 * Chooses the socket's directory: the database's own (mode 0700) or, if that path is too long for a socket, a new
 * private directory under the system's temporary directory.
 */
export async function chooseSocketDirectory(
  clusterDirectory: string,
  account: Account | undefined,
): Promise<string> {
  if (fits(clusterDirectory)) return clusterDirectory;
  const parent = fits(join(tmpdir(), `${fallbackPrefix}XXXXXX`)) ? tmpdir() : "/tmp";
  const directory = await mkdtemp(join(parent, fallbackPrefix));
  if (account !== undefined) await chown(directory, account.uid, account.gid);
  return directory;
}

/**
 * Removes the socket's lock file. It names a process like `postmaster.pid`, with the same mistakes; the directory is
 * private, and the caller knows that no server is running.
 */
export async function removeSocketLock(directory: string): Promise<void> {
  await rm(`${socketIn(directory)}.lock`, { force: true });
}

/** Removes a temporary directory that `chooseSocketDirectory` created; leaves any other. */
export async function removeSocketDirectory(directory: string): Promise<void> {
  if (!basename(directory).startsWith(fallbackPrefix)) return;
  await rm(socketIn(directory), { force: true });
  await removeSocketLock(directory);
  try {
    await rmdir(directory);
  } catch (error) {
    // Already gone, or it contains something else: not ours to remove.
    if (!["ENOENT", "ENOTEMPTY"].includes(systemErrorCode(error) ?? "")) throw error;
  }
}

function fits(directory: string): boolean {
  return Buffer.byteLength(socketIn(directory)) <= maxSocketPathBytes;
}

function socketIn(directory: string): string {
  return join(directory, `.s.PGSQL.${socketPort}`);
}
