import { join } from "node:path";

import { type Clock, errorText } from "@slipway/runtime";

import { EmbeddedPostgresError } from "./errors.ts";
import type { PostmasterFile } from "./postmaster-file.ts";
import { readPostmasterFile } from "./postmaster-file.ts";
import type { Postmaster, PostmasterStart } from "./postmaster.ts";
import { spawnPostmaster } from "./postmaster.ts";
import { openServerLog } from "./server-log.ts";
import type { ServerLog } from "./server-log.ts";
import { abandonPostmaster } from "./stop-postmaster.ts";

/** The time limit for a start: recovery after a power failure may read much WAL. */
const readyWithinMs = 120_000;
const readyPollMs = 5;
/** The time that a killed server's sessions need to notice. */
const sharedMemoryWaitMs = 5_000;
const sharedMemoryPollMs = 50;

/** The failure of a server that did not become ready: it ended, or is still starting. */
type StartFailure = "ended" | "late";

/** Starts the server and waits until it accepts connections. Throws `start-failed` with the end of its log. */
export async function startPostmaster(
  start: Omit<PostmasterStart, "logFd">,
  dataDirectory: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Postmaster> {
  const deadline = clock.monotonic() + sharedMemoryWaitMs;
  for (;;) {
    await using log = await openServerLog(join(dataDirectory, "postgres.log"));
    const postmaster = await spawnOrExplain({ ...start, logFd: log.fd });
    const failure = await readyOrAbandoned(postmaster, start.clusterDirectory, clock, signal);
    if (failure === undefined) return postmaster;
    const tail = await log.tail();
    // Sessions of a killed server hold its shared memory until they notice that it is gone.
    const isOccupied = tail.includes("pre-existing shared memory block");
    if (!isOccupied || clock.monotonic() > deadline) throw await startError(failure, log);
    await clock.sleep(sharedMemoryPollMs, signal);
  }
}

/** Waits until a started or adopted server reports that it is ready. */
export async function waitUntilReady(
  postmaster: Postmaster,
  clusterDirectory: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<PostmasterFile | StartFailure> {
  let hasEnded = false;
  void postmaster.exited.then(() => (hasEnded = true));
  const deadline = clock.monotonic() + readyWithinMs;
  while (clock.monotonic() < deadline) {
    const file = await readPostmasterFile(clusterDirectory);
    if (hasEnded) return "ended";
    if (file?.pid === postmaster.pid && file.status === "ready") return file;
    await clock.sleep(readyPollMs, signal);
  }
  return "late";
}

async function readyOrAbandoned(
  postmaster: Postmaster,
  clusterDirectory: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<StartFailure | undefined> {
  try {
    const ready = await waitUntilReady(postmaster, clusterDirectory, clock, signal);
    if (typeof ready !== "string") return undefined;
    if (ready === "late") await abandonPostmaster(postmaster, clock);
    return ready;
  } catch (error) {
    await abandonPostmaster(postmaster, clock);
    throw error;
  }
}

async function spawnOrExplain(start: PostmasterStart): Promise<Postmaster> {
  try {
    return await spawnPostmaster(start);
  } catch (error) {
    throw new EmbeddedPostgresError(
      "start-failed",
      `cannot start PostgreSQL: ${errorText(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function startError(failure: StartFailure, log: ServerLog): Promise<EmbeddedPostgresError> {
  const what =
    failure === "ended" ? "ended before it was ready" : `was not ready within ${readyWithinMs} ms`;
  return new EmbeddedPostgresError(
    "start-failed",
    `PostgreSQL ${what}; its log ends: ${await log.tail()}`,
  );
}
