import { execFile } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, renameSync, rmSync } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { systemErrorCode } from "@slipway/runtime";

const prefix = "slipway-pipes-";
/** A FIFO that the directory's agent keeps open while it lives; the system closes it if the agent is killed. */
const lifeline = "alive";
const execute = promisify(execFile);

/** A directory of FIFOs. Disposing of it removes it; after a kill, `removeDeadDirectories` does. */
export interface PipeDirectory extends Disposable {
  readonly path: string;
}

export async function openPipeDirectory(parent: string): Promise<PipeDirectory> {
  const path = mkdtempSync(join(parent, prefix));
  // Another FIFO may be created meanwhile.
  const remove = (): void =>
    rmSync(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 10 });
  try {
    const made = join(path, `${lifeline}.new`);
    await makePipes([made]);
    const fd = openSync(made, constants.O_RDONLY | constants.O_NONBLOCK);
    renameSync(made, join(path, lifeline));
    let isOpen = true;
    return {
      path,
      [Symbol.dispose]: () => {
        if (isOpen) closeSync(fd);
        isOpen = false;
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

export async function makePipes(paths: readonly string[]): Promise<void> {
  await execute("mkfifo", ["-m", "600", ...paths]);
}

/** Removes the directories of this user's killed agents, as far as possible. */
export async function removeDeadDirectories(parent: string): Promise<void> {
  const names = await readdir(parent);
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const path = join(parent, name);
    try {
      const found = await lstat(path);
      if (!found.isDirectory() || found.uid !== process.getuid?.()) continue;
      if (isDead(path)) await rm(path, { recursive: true, force: true });
    } catch {
      // It is gone, or not ours after all: a leftover is harmless.
    }
  }
}

/** Reports whether the FIFO has no reader, in which case it cannot be opened for writing without waiting. */
function isDead(directory: string): boolean {
  try {
    closeSync(openSync(join(directory, lifeline), constants.O_WRONLY | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    // A directory without the FIFO is still being created.
    return systemErrorCode(error) === "ENXIO";
  }
}
