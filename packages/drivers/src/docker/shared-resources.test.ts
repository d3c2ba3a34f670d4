import { expect, it } from "vitest";

import { SharedResources } from "./shared-resources.ts";

const { signal } = new AbortController();

it("lets tasks run at once, and a removal only without them", async () => {
  const shared = new SharedResources();
  const done = Promise.withResolvers<string>();
  const seen: string[] = [];
  const first = shared.use(() => done.promise, signal);
  const second = shared.use(async () => "second", signal);
  expect(await second).toBe("second");
  await shared.remove(async () => void seen.push("removed"));
  expect(seen).toEqual([]);
  done.resolve("first");
  expect(await first).toBe("first");
  await shared.remove(async () => void seen.push("removed"));
  expect(seen).toEqual(["removed"]);
});

it("lets a task wait for a removal, also for one that fails", async () => {
  const shared = new SharedResources();
  const failure = new Error("no engine");
  for (const settle of [() => undefined, () => Promise.reject(failure)]) {
    const gate = Promise.withResolvers<void>();
    const seen: string[] = [];
    const removal = shared.remove(async () => {
      await gate.promise;
      seen.push("removed");
      await settle();
    });
    const outcome = removal.catch((error: unknown) => error);
    // Another removal is unnecessary.
    await shared.remove(async () => void seen.push("twice"));
    const used = shared.use(async () => void seen.push("used"), signal);
    gate.resolve();
    await used;
    expect(seen).toEqual(["removed", "used"]);
    expect([undefined, failure]).toContain(await outcome);
  }
});

it("is free again after a task that fails", async () => {
  const shared = new SharedResources();
  const failure = new Error("no image");
  await expect(shared.use(() => Promise.reject(failure), signal)).rejects.toBe(failure);
  let isRemoved = false;
  await shared.remove(async () => void (isRemoved = true));
  expect(isRemoved).toBe(true);
});
