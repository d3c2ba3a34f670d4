import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { lstat, rename, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { dirname, join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

/** The file of a Unix socket on which a server listens. */
export interface SocketFile {
  /** Removes the file, unless another has replaced it. Never rejects. */
  remove(): Promise<void>;
}

/**
 * Listens on a Unix socket that only this user may use, and replaces any file at the path. The server listens under a
 * temporary name first: Node.js removes that name when the server closes, even if another process has taken it.
 * Rejects with the system's error, and leaves the path unchanged.
 */
export async function listenOnFile(server: Server, path: string): Promise<SocketFile> {
  const name = join(dirname(path), `.${randomBytes(2).toString("hex")}`);
  const umask = process.umask(0o177);
  try {
    // The file exists when this returns.
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

/** Returns the kind of file at a path; undefined if it does not exist. */
export async function kindOfFile(path: string): Promise<"socket" | "other" | undefined> {
  try {
    return (await lstat(path)).isSocket() ? "socket" : "other";
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
