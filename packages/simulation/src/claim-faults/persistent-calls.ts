import { setTimeout as pause } from "node:timers/promises";

import { withTimeout } from "@slipway/runtime";
import { ApiError, isRetryable } from "@slipway/sdk/http";

/** The time after which a request without an answer is given up; the connection may have stalled. */
const answerMs = 10_000;
const retryMs = 100;

/** Calls once, for as long as an answer may take. */
export function callOnce<T>(
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return call(withTimeout(signal, answerMs));
}

/** Reports whether the server has refused for good, so that calling again is useless. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && !isRetryable(error);
}

/** Calls until there is an answer, despite any faults; throws refusals, and the signal's reason. */
export async function callPersistently<T>(
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await callOnce(call, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isRefusal(error)) throw error;
      await pause(retryMs, undefined, { signal });
    }
  }
}
