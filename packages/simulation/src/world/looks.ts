import { Wake } from "@slipway/runtime";

import type { ServerProcess } from "./server-process.ts";

/** Yields immediately, after each hint, and at the latest after `maxWaitMs`, for as long as the server lives. */
export async function* looks(
  { hints, life }: ServerProcess,
  topic: string,
  maxWaitMs: number,
): AsyncGenerator<void, never, undefined> {
  const wake = new Wake();
  using _ = hints.subscribe(topic, () => wake.wake());
  for (;;) {
    yield;
    await wake.wait(maxWaitMs, life, life.forever);
  }
}
