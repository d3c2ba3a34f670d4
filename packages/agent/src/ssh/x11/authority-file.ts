import { link, open, rm, stat } from "node:fs/promises";

import { type Clock, systemErrorCode } from "@slipway/runtime";
import { replaceFile } from "@slipway/runtime/replace-file";

import { readFileStart } from "../../process/read-file-start.ts";
import { SshError } from "../errors.ts";
import { type AuthorityEntry, withEntry } from "./authority.ts";

/** The maximum size of a file to read, in bytes. */
const maxFileBytes = 1024 * 1024;
const fileMode = 0o600;
/** The interval and number of attempts to lock the file, which other programs lock only briefly. */
const lockPollMs = 100;
const lockTries = 50;
/** The age above which a lock must be that of a killed program. */
const deadLockMs = 30_000;

interface LockNeeds {
  readonly clock: Clock;
  /** Ends the wait for the lock. */
  readonly signal: AbortSignal;
}

/** Adds a display's cookie to a file. Rejects with `SshError` "x11-failed" and the errors of the file system. */
export async function addToAuthorityFile(
  path: string,
  entry: AuthorityEntry,
  needs: LockNeeds,
): Promise<void> {
  await using held = new AsyncDisposableStack();
  held.use(await lock(path, needs));
  const changed = withEntry(await read(path), entry);
  if (changed === undefined) throw new SshError("x11-failed", `${path} is malformed`);
  await replaceFile(path, changed, { mode: fileMode });
}

async function read(path: string): Promise<Buffer> {
  try {
    const file = await readFileStart(path, maxFileBytes + 1);
    if (file === undefined) throw new SshError("x11-failed", `${path} is not a regular file`);
    if (file.length > maxFileBytes) {
      throw new SshError("x11-failed", `${path} has more than ${maxFileBytes} bytes`);
    }
    return file;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** Locks the file as Xlib and `xauth` do: by a file with a second name that is the lock (XauLockAuth). */
async function lock(path: string, { clock, signal }: LockNeeds): Promise<AsyncDisposable> {
  const [created, locked] = [`${path}-c`, `${path}-l`];
  for (let round = 0; round < lockTries; round += 1) {
    if (await tryLock(created, locked)) {
      return { [Symbol.asyncDispose]: () => unlock(created, locked) };
    }
    if (await isDead(created, clock)) await unlock(created, locked);
    else await clock.sleep(lockPollMs, signal);
  }
  throw new SshError("x11-failed", `${path} is locked by another program`);
}

async function tryLock(created: string, locked: string): Promise<boolean> {
  try {
    await (await open(created, "wx", fileMode)).close();
    await link(created, locked);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function isDead(created: string, clock: Clock): Promise<boolean> {
  const found = await stat(created).catch(() => undefined);
  return found !== undefined && clock.now() - found.mtimeMs > deadLockMs;
}

async function unlock(created: string, locked: string): Promise<void> {
  await rm(created, { force: true });
  await rm(locked, { force: true });
}
