import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { LocalListeners } from "./local-listeners.ts";
import { topics } from "./pubsub.ts";
import { watchAll } from "./watch-all.ts";

const maxWaitMs = 30_000;

function open(signal = new AbortController().signal) {
  const listeners = new LocalListeners();
  const clock = createFakeClock(0);
  const pubsub = {
    subscribe: listeners.add.bind(listeners),
    publish: (topic: string) => listeners.hint(topic),
  };
  return {
    pubsub,
    listeners,
    clock,
    looks: watchAll({ pubsub, kind: "sessions", maxWaitMs, clock, signal }),
  };
}

const all = { done: false, value: "all" };
const some = (...ids: readonly string[]) => ({ done: false, value: new Set(ids) });

it("yields all at first, then those that were hinted, each once", async () => {
  const { pubsub, looks } = open();
  expect(await looks.next()).toEqual(all);
  for (const id of ["ann", "bob", "ann"]) pubsub.publish(topics.sessions(id));
  pubsub.publish(topics.workspace("other"));
  expect(await looks.next()).toEqual(some("ann", "bob"));
  pubsub.publish(topics.sessions("ann"));
  expect(await looks.next()).toEqual(some("ann"));
});

it("yields all after the longest wait, however many are hinted in between", async () => {
  const { pubsub, clock, looks } = open();
  await looks.next();
  for (let second = 0; second < 15; second += 1) {
    pubsub.publish(topics.sessions("ann"));
    expect(await looks.next()).toEqual(some("ann"));
    await clock.advance(1_000);
  }
  const next = looks.next();
  await clock.advance(15_000);
  expect(await next).toEqual(all);
});

it("yields all after hints were lost", async () => {
  const { pubsub, listeners, looks } = open();
  await looks.next();
  pubsub.publish(topics.sessions("ann"));
  listeners.hintAll();
  expect(await looks.next()).toEqual(all);
});

it("throws the reason of the signal, also while hints keep coming", async () => {
  const controller = new AbortController();
  const { pubsub, looks } = open(controller.signal);
  await looks.next();
  pubsub.publish(topics.sessions("ann"));
  controller.abort(new Error("enough"));
  await expect(looks.next()).rejects.toThrow("enough");
});
