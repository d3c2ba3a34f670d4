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
 * Looks for a server that runs on that database and waits until it is ready. Undefined when there is none, or it ended
 * meanwhile: then one can be started. A file that names a dead one is made harmless. `watched` ends the
 * watch over what was found.
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
    await disown(file, clusterDirectory);
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
 * PostgreSQL takes the file of a server that is gone for stale, unless its process number is seen: given to another
 * process, or a zombie's that nobody collects. Our own number it passes over, as its parent's, and goes on to check by
 * the rest of the file that no session of that server is left.
 */
async function disown(file: PostmasterFile, clusterDirectory: string): Promise<void> {
  await removeSocketDirectory(file.socketDirectory);
  const path = postmasterFilePath(clusterDirectory);
  const text = (await readFile(path, "utf8")).replace(/^\d+/, String(process.pid));
  // Not through a link: PostgreSQL's own user could have made one.
  await writeFile(path, text, {
    flag: constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW,
  });
}
