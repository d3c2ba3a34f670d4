import { type Clock, spread, Wake } from "@slipway/runtime";

import { allOf, type PubSub, type TopicKind } from "./pubsub.ts";

export interface WatchAllOptions {
  readonly pubsub: PubSub;
  readonly kind: TopicKind;
  /** The maximum time between two checks of all, in milliseconds; shortened at random by up to a third. */
  readonly maxWaitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Watches all topics of a kind: yields the ids of those that were hinted, or `all` at first, every `maxWaitMs`, and
 * after hints were lost. Subscribes before the first check. Ends by throwing the signal's reason, or when the reader
 * leaves.
 */
export async function* watchAll(
  options: WatchAllOptions,
): AsyncGenerator<ReadonlySet<string> | "all", never, undefined> {
  const { pubsub, kind, maxWaitMs, clock, signal } = options;
  const wake = new Wake();
  const whole = allOf(kind);
  const prefix = whole.slice(0, -1);
  let hinted = new Set<string>();
  using _ = pubsub.subscribe(whole, (topic) => {
    hinted.add(topic.slice(prefix.length));
    wake.wake();
  });
  for (;;) {
    hinted = new Set();
    yield "all";
    const due = clock.monotonic() + spread(maxWaitMs);
    for (;;) {
      signal.throwIfAborted();
      const left = due - clock.monotonic();
      if (left <= 0 || hinted.has("*")) break;
      if (hinted.size === 0) {
        await wake.wait(left, clock, signal);
        continue;
      }
      const ids = hinted;
      hinted = new Set();
      yield ids;
    }
  }
}
