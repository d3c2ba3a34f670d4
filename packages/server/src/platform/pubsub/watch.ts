import { type Clock, spread, Wake } from "@slipway/runtime";

import type { PubSub } from "./pubsub.ts";

export interface WatchOptions {
  readonly pubsub: PubSub;
  readonly topics: readonly string[];
  /** The maximum time between two checks without a hint, in milliseconds; shortened at random by up to a third. */
  readonly maxWaitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Yields immediately, then after each hint, and at the latest after `maxWaitMs`: each time the reader checks again.
 * Subscribes before the first check. Ends by throwing the signal's reason, or when the reader leaves.
 */
export async function* watch(options: WatchOptions): AsyncGenerator<void, never, undefined> {
  const wake = new Wake();
  using subscriptions = new DisposableStack();
  for (const topic of options.topics) {
    subscriptions.use(options.pubsub.subscribe(topic, () => wake.wake()));
  }
  for (;;) {
    yield;
    await wake.wait(spread(options.maxWaitMs), options.clock, options.signal);
  }
}
