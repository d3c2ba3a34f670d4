import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { type Clock, errorText } from "@slipway/runtime";

import { EmbeddedPostgresError } from "./errors.ts";
import { type PostmasterFile, readPostmasterFile } from "./postmaster-file.ts";
import {
  type Postmaster,
  type PostmasterStart,
  spawnPostmaster,
  abandonPostmaster,
} from "./postmaster.ts";

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
    // It may have been ready at the first look.
    signal.throwIfAborted();
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

/** The size above which the log is truncated at the next start. */
const maxLogBytes = 8 * 1024 * 1024;
const maxTailBytes = 4096;

/** PostgreSQL's own log, a file that the server inherits. */
export interface ServerLog extends AsyncDisposable {
  readonly fd: number;
  /** Returns the end of the output since the log was opened. */
  tail(): Promise<string>;
}

/** Opens the log for appending. The caller disposes of the handle; a server that inherited it keeps writing. */
async function openServerLog(path: string): Promise<ServerLog> {
  const file = await open(path, "a+", 0o600);
  const { size } = await file.stat();
  if (size > maxLogBytes) await file.truncate();
  const start = size > maxLogBytes ? 0 : size;
  return {
    fd: file.fd,
    tail: async () => tailSince(file, start),
    [Symbol.asyncDispose]: async () => file.close(),
  };
}

async function tailSince(file: FileHandle, start: number): Promise<string> {
  const { size } = await file.stat();
  const length = Math.min(size - start, maxTailBytes);
  if (length <= 0) return "";
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString("utf8", 0, bytesRead).trim();
}
