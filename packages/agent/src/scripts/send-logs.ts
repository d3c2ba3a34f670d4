import type { Clock, Logger } from "@slipway/runtime";

import type { LogBatch, LogQueue } from "./log-queue.ts";

/** Hands a batch to the server; resolves once it is stored or will never be. */
export type StoreLogs = (
  batch: LogBatch,
  signal: AbortSignal,
) => Promise<"stored" | "limit-exceeded">;

/** The longest wait for something to send; only bounds timers. */
const maxWaitMs = 60_000;

/**
 * Sends the queue's batches one after the other over one connection. Rejects with the error of `store`, and the batch
 * stays queued; returns for good when the server takes no more.
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
        "the server takes no more logs of this agent; script output goes to its files only",
      );
    }
  }
}
