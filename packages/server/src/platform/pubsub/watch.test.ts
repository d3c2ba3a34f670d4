import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { LocalListeners } from "./local-listeners.ts";
import type { PubSub } from "./pubsub.ts";
import { watch } from "./watch.ts";

const maxWaitMs = 30_000;

function open(signal = new AbortController().signal) {
  const listeners = new LocalListeners();
  let subscribed = 0;
  const pubsub: PubSub = {
    subscribe: (topic, listener) => {
      subscribed += 1;
      const subscription = listeners.add(topic, listener);
      return {
        [Symbol.dispose]: () => {
          subscribed -= 1;
          subscription[Symbol.dispose]();
        },
      };
    },
    publish: (topic) => listeners.hint(topic),
  };
  const clock = createFakeClock(0);
  const looks = watch({ pubsub, topics: ["a", "b"], maxWaitMs, clock, signal });
  return { pubsub, clock, looks, subscribed: () => subscribed };
}

describe("watch", () => {
  it("is subscribed before the first look, so that no hint after it is lost", async () => {
    const { pubsub, clock, looks, subscribed } = open();
    expect(subscribed()).toBe(0);
    await looks.next();
    expect(subscribed()).toBe(2);
    pubsub.publish("b");
    pubsub.publish("a");
    await looks.next();
    expect(clock.now()).toBe(0);
  });

  it("looks by itself after a while, at the latest after the longest wait", async () => {
    const { clock, looks } = open();
    await looks.next();
    let isLooking = false;
    const look = looks.next().then(() => (isLooking = true));
    await clock.advance((maxWaitMs * 2) / 3 - 1);
    expect(isLooking).toBe(false);
    await clock.advance(maxWaitMs / 3 + 1);
    expect(isLooking).toBe(true);
    await look;
  });

  it("gives up its subscriptions and its sleep when the reader leaves", async () => {
    const { clock, looks, subscribed } = open();
    for await (const _ of looks) break;
    expect(subscribed()).toBe(0);
    expect(clock.sleepers).toBe(0);
  });

  it("throws the reason of the signal", async () => {
    const controller = new AbortController();
    const { looks, subscribed, clock } = open(controller.signal);
    await looks.next();
    const outcome = expect(looks.next()).rejects.toThrow("enough");
    controller.abort(new Error("enough"));
    await outcome;
    expect(subscribed()).toBe(0);
    expect(clock.sleepers).toBe(0);
  });
});
