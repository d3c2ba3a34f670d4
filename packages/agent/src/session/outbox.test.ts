import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { Outbox } from "./outbox.ts";

it("drops what waits, but not what is being delivered", async () => {
  const outbox = new Outbox<string>(4, createFakeClock());
  for (const item of ["a", "b", "c"]) outbox.put(item);
  const end = new AbortController();
  const begun: string[] = [];
  const held = Promise.withResolvers<void>();
  const ended = outbox.run(async (item) => {
    begun.push(item);
    await held.promise;
  }, end.signal);
  outbox.clear();
  held.resolve();
  await outbox.drained(new AbortController().signal);
  outbox.put("d");
  await outbox.drained(new AbortController().signal);
  expect(begun).toEqual(["a", "d"]);
  end.abort(new Error("done"));
  await expect(ended).rejects.toThrow("done");
});

it("drops an item whose delivery has failed", async () => {
  const outbox = new Outbox<string>(4, createFakeClock());
  outbox.put("a");
  const { signal } = new AbortController();
  await expect(outbox.run(() => Promise.reject(new Error("lost")), signal)).rejects.toThrow("lost");
  outbox.clear();
  await outbox.drained(signal);
  outbox.put("b");
  const end = new Error("end");
  const delivered: string[] = [];
  const run = outbox.run(async (item) => {
    delivered.push(item);
    throw end;
  }, signal);
  await expect(run).rejects.toBe(end);
  expect(delivered).toEqual(["b"]);
});
