import { setTimeout as pause } from "node:timers/promises";

import { withTimeout } from "@slipway/runtime";
import { ApiError, isRetryable } from "@slipway/sdk/http";

/** The timeout of a request; its connection may have stalled. */
const answerMs = 10_000;
const retryMs = 100;

/** Calls once, with the timeout of a request. */
export function callOnce<T>(
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return call(withTimeout(signal, answerMs));
}

/** Reports whether the server's refusal is final, so that a retry is useless. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && !isRetryable(error);
}

/** Retries a call until it is answered, despite any faults; throws refusals and the signal's reason. */
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
