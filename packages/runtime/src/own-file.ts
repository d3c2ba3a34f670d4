import { closeSync, constants, fchmodSync, fstatSync, openSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

export interface OwnFileOptions {
  /** The position where writing begins: at the end, or at the beginning, leaving the old content after it. */
  readonly write: "append" | "overwrite";
  /** The permissions of a new file; an existing file loses those that let others write it. */
  readonly mode: number;
}

/** A file that this process must not write, since another user may have put it there. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code = "not-own";
}

/** Refuses to follow a link, to wait for the other end of a pipe or for a lease, or to acquire a terminal. */
const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const othersMayWrite = 0o022;

/**
 * Opens a file of this user for writing, and creates it if it is missing. Others may be able to write to the
 * directory, and may have put there a link to another file of this user, a pipe without a reader, or their own file:
 * for those it throws `FileError`. Also throws the errors of the file system.
 */
export async function openOwnFile(path: string, options: OwnFileOptions): Promise<FileHandle> {
  const file = await open(path, flagsOf(options), options.mode);
  try {
    const found = await file.stat();
    requireOwn(path, found);
    if (isOpenToOthers(found)) await file.chmod(withoutOthers(found));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** `openOwnFile` for callers that cannot wait. Returns a descriptor, which the caller closes. */
export function openOwnFileSync(path: string, options: OwnFileOptions): number {
  const fd = openSync(path, flagsOf(options), options.mode);
  try {
    const found = fstatSync(fd);
    requireOwn(path, found);
    if (isOpenToOthers(found)) fchmodSync(fd, withoutOthers(found));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function flagsOf({ write }: OwnFileOptions): number {
  const place = write === "append" ? constants.O_APPEND : 0;
  return constants.O_WRONLY | constants.O_CREAT | place | careful;
}

function requireOwn(path: string, found: Stats): void {
  const fault = faultOf(found);
  if (fault !== undefined) throw new FileError(`${path} ${fault}`);
}

function faultOf(found: Stats): string | undefined {
  if (!found.isFile()) return "is not a regular file";
  const user = process.geteuid?.();
  if (user !== undefined && found.uid !== user) return "belongs to another user";
  // A second name may belong to an important file.
  return found.nlink === 1 ? undefined : `has ${found.nlink} names, wanted one`;
}

function isOpenToOthers({ mode }: Stats): boolean {
  return (mode & othersMayWrite) !== 0;
}

function withoutOthers({ mode }: Stats): number {
  return mode & 0o7777 & ~othersMayWrite;
}
