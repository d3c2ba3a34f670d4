import { constants } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";

import { abortable, type Clock } from "@slipway/runtime";

import type { PostmasterFile } from "./postmaster-file.ts";
import { postmasterFilePath, readPostmasterFile } from "./postmaster-file.ts";
import { isPostmasterOf, watchPostmaster } from "./postmaster.ts";
import type { Postmaster } from "./postmaster.ts";
import { removeSocketDirectory } from "./socket-directory.ts";
import { waitUntilReady } from "./start-postmaster.ts";

/** A server that outlived the process that started it. */
export interface FoundPostmaster {
  readonly postmaster: Postmaster;
  readonly file: PostmasterFile;
}

/**
 * Looks for a server that runs on that database and waits until it is ready. Returns undefined if there is none, or
 * it ended meanwhile: then one can be started. Disarms a file that names a dead server. `watched` ends the watch over
 * the adopted server.
 */
export async function findPostmaster(
  clusterDirectory: string,
  clock: Clock,
  signal: AbortSignal,
  watched: AbortSignal,
): Promise<FoundPostmaster | undefined> {
  const file = await readPostmasterFile(clusterDirectory);
  if (file === undefined) return undefined;
  if (!(await isPostmasterOf(file.pid, clusterDirectory))) {
    await disarmFile(file, clusterDirectory);
    return undefined;
  }
  const postmaster = watchPostmaster(file.pid, clock, watched);
  if (file.status === "stopping") {
    await abortable(postmaster.exited, signal);
    return undefined;
  }
  const ready = await waitUntilReady(postmaster, clusterDirectory, clock, signal);
  return typeof ready === "string" ? undefined : { postmaster, file: ready };
}

/**
 * Disarms the file of a dead server. PostgreSQL recognizes such a file as stale unless its process id is in use:
 * reassigned to another process, or held by an unreaped zombie. It skips our own id, as its parent's, and goes on to
 * check by the rest of the file that no session of that server is left.
 */
async function disarmFile(file: PostmasterFile, clusterDirectory: string): Promise<void> {
  await removeSocketDirectory(file.socketDirectory);
  const path = postmasterFilePath(clusterDirectory);
  const text = (await readFile(path, "utf8")).replace(/^\d+/, String(process.pid));
  // Not through a link: PostgreSQL's own user could have created one.
  await writeFile(path, text, {
    flag: constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW,
  });
}
