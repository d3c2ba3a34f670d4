import { writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";

/** SQLite's code for a database that somebody else has locked. */
const busy = 5;

/**
 * Locks a file until the lock is disposed of or this process ends, however it does; undefined when it is locked already.
 * SQLite's lock is the only one of Node.js that the system lets go by itself and that takes the right to write
 * the file: the name of a socket can be taken by everybody on the machine, and a pid file outlives its process.
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
 * For its owner alone, since whoever may read it can lock it. One that is there is not opened: closing it again would undo
 * a lock of this process (fcntl_locking(2)).
 */
async function makeFile(path: string): Promise<void> {
  try {
    await writeFile(path, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
