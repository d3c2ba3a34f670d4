import { writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";

import { systemErrorCode } from "@slipway/runtime";

/** SQLite's code for a database that is locked by another process. */
const busy = 5;

/**
 * Locks a file until the lock is disposed of or this process ends, in whatever way; returns undefined if it is already
 * locked. SQLite's lock is the only one of Node.js that the system releases by itself and that requires write
 * permission for the file: any user of the machine can take the name of a socket, and a pid file outlives its process.
 */
export async function lockFile(path: string): Promise<Disposable | undefined> {
  await makeFile(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("pragma journal_mode = memory; begin exclusive");
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && "errcode" in error && error.errcode === busy) return undefined;
    throw error;
  }
}

/**
 * Creates the file for its owner alone, because anyone who can read it can lock it. An existing file is not opened:
 * closing it again would release a lock of this process (fcntl_locking(2)).
 */
async function makeFile(path: string): Promise<void> {
  try {
    await writeFile(path, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}
