import { getEventListeners } from "node:events";

import { expect, it } from "vitest";

import { Waiters } from "./waiters.ts";

it("wakes everyone who waits", async () => {
  const waiters = new Waiters();
  const both = Promise.all([waiters.next(), waiters.next(new AbortController().signal)]);
  waiters.wakeAll();
  await expect(both).resolves.toHaveLength(2);
});

it("leaves those who come later waiting", async () => {
  const waiters = new Waiters();
  waiters.wakeAll();
  const later = waiters.next().then(() => "woken");
  await expect(Promise.race([later, Promise.resolve("waiting")])).resolves.toBe("waiting");
  waiters.wakeAll();
  await expect(later).resolves.toBe("woken");
});

it("lets go at the end of the signal, before and after the wait begins", async () => {
  const waiters = new Waiters();
  const end = new AbortController();
  const waiting = waiters.next(end.signal);
  end.abort();
  await expect(waiting).resolves.toBeUndefined();
  await expect(waiters.next(end.signal)).resolves.toBeUndefined();
});

it("leaves no listener on a signal that outlives the wait", async () => {
  const waiters = new Waiters();
  const { signal } = new AbortController();
  const waiting = waiters.next(signal);
  waiters.wakeAll();
  await waiting;
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
