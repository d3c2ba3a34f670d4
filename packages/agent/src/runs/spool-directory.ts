import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { dataName } from "../process/private-directory.ts";

const prefix = "runs-";

/** The directory for the output of runs, which is created when it is needed. Its name tells whose it is. */
export class SpoolDirectory {
  readonly #parent: string;
  readonly #path: string;
  #making: Promise<void> | undefined;

  constructor(dataDir: string, instanceId: string) {
    this.#parent = join(dataDir, dataName);
    this.#path = join(this.#parent, `${prefix}${process.pid}-${instanceId}`);
  }

  /** Returns the path of a run's file. */
  pathOf(runId: string): string {
    return join(this.#path, runId);
  }

  /** Makes sure that the directory exists, and removes those of agents that were killed. */
  make(): Promise<void> {
    this.#making ??= this.#make().catch((error: unknown) => {
      this.#making = undefined;
      throw error;
    });
    return this.#making;
  }

  /** Removes the directory with all files. Never rejects. */
  async remove(): Promise<void> {
    if (this.#making !== undefined) await removeAll(this.#path);
  }

  async #make(): Promise<void> {
    await makeDirectories(this.#path, 0o700);
    for (const name of await readdir(this.#parent)) {
      const pid = /^runs-(\d+)-/.exec(name)?.[1];
      if (pid !== undefined && !isRunning(Number(pid))) await removeAll(join(this.#parent, name));
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is another user's.
    return systemErrorCode(error) !== "ESRCH";
  }
}

async function removeAll(path: string): Promise<void> {
  // What is left behind is removed by the next agent.
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}
