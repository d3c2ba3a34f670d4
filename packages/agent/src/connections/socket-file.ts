import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { lstat, rename, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { dirname, join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

/** The file of a Unix socket on which a server listens. */
export interface SocketFile {
  /** Removes the file, unless another one has taken its place. Never rejects. */
  remove(): Promise<void>;
}

/**
 * Listens on a file that nobody else may use from the moment it is there, and puts it in the place of what has its name.
 * Node.js removes the name on which it began to listen when it ends, whoever has it by then: so it is another one. Rejects
 * with the system's error; what was there is there still then.
 */
export async function listenOnFile(server: Server, path: string): Promise<SocketFile> {
  const name = join(dirname(path), `.${randomBytes(2).toString("hex")}`);
  const umask = process.umask(0o177);
  try {
    // The file is made before this returns.
    server.listen(name);
  } finally {
    process.umask(umask);
  }
  await once(server, "listening");
  const { ino } = await lstat(name);
  await rename(name, path);
  return {
    remove: async () => {
      const found = await lstat(path).catch(() => undefined);
      if (found?.ino === ino) await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

/** Returns what a path names; undefined for nothing. */
export async function kindOfFile(path: string): Promise<"socket" | "other" | undefined> {
  try {
    return (await lstat(path)).isSocket() ? "socket" : "other";
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
