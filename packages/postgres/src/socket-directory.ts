import { chown, mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import type { Account } from "@slipway/runtime/ownership";

import { systemErrorCode } from "./errors.ts";
import { socketPort } from "./settings.ts";

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the final zero. */
const maxSocketPathBytes = 103;
const fallbackPrefix = "slipway-postgres-";

/**
 * Where the socket goes: the database's own directory (mode 0700), or, when that path is too long for a socket, a new
 * private directory under the system's directory for temporary files.
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
 * Removes the lock of the socket. It names a process like `postmaster.pid`, with the same mistakes; the directory is
 * private, and that no server runs is known already.
 */
export async function removeSocketLock(directory: string): Promise<void> {
  await rm(`${socketIn(directory)}.lock`, { force: true });
}

/** Removes a directory that `chooseSocketDirectory` made under the temporary files; leaves any other. */
export async function removeSocketDirectory(directory: string): Promise<void> {
  if (!basename(directory).startsWith(fallbackPrefix)) return;
  await rm(socketIn(directory), { force: true });
  await removeSocketLock(directory);
  try {
    await rmdir(directory);
  } catch (error) {
    // Gone already, or something else is in it: not ours to remove.
    if (!["ENOENT", "ENOTEMPTY"].includes(systemErrorCode(error) ?? "")) throw error;
  }
}

function fits(directory: string): boolean {
  return Buffer.byteLength(socketIn(directory)) <= maxSocketPathBytes;
}

function socketIn(directory: string): string {
  return join(directory, `.s.PGSQL.${socketPort}`);
}
