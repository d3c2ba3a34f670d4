import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { LocalListeners } from "./local-listeners.ts";
import type { Listener } from "./pubsub.ts";
import { SharedWatches } from "./shared-watches.ts";

const gatherMs = 100;
const maxWaitMs = 10_000;

/** Opens watches on a number that the test changes. */
function open() {
  const listeners = new LocalListeners();
  const clock = createFakeClock(0);
  const pubsub = {
    subscribe: (topic: string, listener: Listener) => listeners.add(topic, listener),
    publish: (topic: string) => listeners.hint(topic),
  };
  const state = {
    value: 0,
    reads: 0,
    failure: undefined as Error | undefined,
    held: Promise.resolve(),
  };
  const watches = new SharedWatches<number>({ pubsub, clock });
  const watch = (signal = new AbortController().signal) =>
    watches.watch(
      "key",
      {
        topics: ["a"],
        maxWaitMs,
        gatherMs,
        read: async () => {
          state.reads += 1;
          if (state.failure !== undefined) throw state.failure;
          const { value } = state;
          await state.held;
          return value;
        },
      },
      signal,
    );
  const change = (value: number): void => {
    state.value = value;
    pubsub.publish("a");
  };
  return { clock, state, watch, change };
}

it("reads once for each watcher that comes, then once a change for all of them", async () => {
  const { clock, state, watch, change } = open();
  const watchers = Array.from({ length: 50 }, () => watch());
  for (const watcher of watchers) expect(await watcher.next()).toMatchObject({ value: 0 });
  expect(state.reads).toBe(50);
  const next = watchers.map((watcher) => watcher.next());
  await clock.advance(gatherMs);
  change(1);
  expect((await Promise.all(next)).map(({ value }) => value)).toEqual(watchers.map(() => 1));
  expect(state.reads).toBe(51);
});

it("tells a watcher of a change that came while its own read was under way", async () => {
  const { clock, state, watch, change } = open();
  const before = watch();
  await before.next();
  const release = Promise.withResolvers<void>();
  state.held = release.promise;
  const late = watch();
  const first = late.next();
  state.held = Promise.resolve();
  const seen = before.next();
  await clock.advance(gatherMs);
  change(1);
  expect(await seen).toMatchObject({ value: 1 });
  release.resolve();
  expect(await first).toMatchObject({ value: 0 });
  expect(await late.next()).toMatchObject({ value: 1 });
});

it("makes one read of the changes of a moment, and looks by itself after a while", async () => {
  const { clock, state, watch, change } = open();
  const watcher = watch();
  await watcher.next();
  const next = watcher.next();
  change(1);
  change(2);
  await clock.advance(gatherMs);
  expect(await next).toMatchObject({ value: 2 });
  state.value = 3;
  const unhinted = watcher.next();
  await clock.advance(gatherMs + maxWaitMs);
  expect(await unhinted).toMatchObject({ value: 3 });
});

it("gives a busy watcher the newest result and none of those between", async () => {
  const { clock, watch, change } = open();
  const [busy, other] = [watch(), watch()];
  await busy.next();
  await other.next();
  for (const value of [1, 2, 3]) {
    const next = other.next();
    await clock.advance(gatherMs);
    change(value);
    expect(await next).toMatchObject({ value });
  }
  expect(await busy.next()).toMatchObject({ value: 3 });
});

it("keeps no clock and no subscription once the last watcher has left", async () => {
  const { clock, state, watch, change } = open();
  const leaving = new AbortController();
  const [one, two] = [watch(), watch(leaving.signal)];
  await one.next();
  await two.next();
  await one[Symbol.asyncDispose]();
  const last = two.next();
  leaving.abort(new Error("gone"));
  await expect(last).rejects.toThrow("gone");
  expect(clock.sleepers).toBe(0);
  const { reads } = state;
  change(1);
  await clock.advance(gatherMs + maxWaitMs);
  expect(state.reads).toBe(reads);
});

it("fails for all who watch, and begins anew for those who come later", async () => {
  const { clock, state, watch, change } = open();
  const [one, two] = [watch(), watch()];
  await one.next();
  await two.next();
  const failed = [one.next(), two.next()];
  state.failure = new Error("no database");
  await clock.advance(gatherMs);
  change(1);
  for (const each of failed) await expect(each).rejects.toThrow("no database");
  state.failure = undefined;
  const later = watch();
  expect(await later.next()).toMatchObject({ value: 1 });
  const next = later.next();
  await clock.advance(gatherMs);
  change(2);
  expect(await next).toMatchObject({ value: 2 });
});
