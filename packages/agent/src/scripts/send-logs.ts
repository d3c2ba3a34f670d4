import type { Clock, Logger } from "@slipway/runtime";

import type { LogBatch, LogQueue } from "./log-queue.ts";

/** Sends a batch to the server. Resolves once it is stored, or the server will not store it. */
export type StoreLogs = (
  batch: LogBatch,
  signal: AbortSignal,
) => Promise<"stored" | "limit-exceeded">;

/** The maximum wait for something to send; only bounds timers. */
const maxWaitMs = 60_000;

/**
 * Sends the queue's batches over a connection, one at a time. Rejects with the error of `store`, and keeps the batch. Resolves
 * when the server accepts no more lines.
 */
export async function sendLogs(
  queue: LogQueue,
  store: StoreLogs,
  { clock, logger, signal }: { clock: Clock; logger: Logger; signal: AbortSignal },
): Promise<void> {
  while (!queue.isClosed) {
    const next = queue.next();
    if ("waitMs" in next) {
      await queue.changed.wait(Math.min(next.waitMs, maxWaitMs), clock, signal);
    } else if ((await store(next, signal)) === "stored") {
      queue.acknowledge(next);
    } else {
      queue.close();
      logger.warn(
        {},
        "the server accepts no more logs of this agent; script output goes only to its files",
      );
    }
  }
}
