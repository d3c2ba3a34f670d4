import type { PubSub } from "@slipway/server/claims";

/** A count of the hints for one topic; disposing of it unsubscribes. */
export interface Hints extends Disposable {
  /** Resolves at the next hint. */
  next(): Promise<void>;
  readonly count: number;
}

/** Subscribes to a topic and counts its hints. */
export function countHints(pubsub: Pick<PubSub, "subscribe">, topic: string): Hints {
  let waiting = Promise.withResolvers<void>();
  let count = 0;
  const subscription = pubsub.subscribe(topic, () => {
    count += 1;
    waiting.resolve();
    waiting = Promise.withResolvers();
  });
  return {
    next: () => waiting.promise,
    get count() {
      return count;
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}
