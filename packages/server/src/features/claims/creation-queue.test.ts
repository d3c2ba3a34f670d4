import { expect, it } from "vitest";

import { Unavailable } from "../../platform/errors/errors.ts";
import { atOnce, CreationQueue, maxWaiting } from "./creation-queue.ts";

/** Makes `count` concurrent requests; each is in progress until told to finish. */
function ask(queue: CreationQueue, count: number) {
  const begun: PromiseWithResolvers<void>[] = [];
  const made = Array.from({ length: count }, (_, index) =>
    queue.run(async () => {
      const one = Promise.withResolvers<void>();
      begun.push(one);
      await one.promise;
      return index;
    }),
  );
  return { begun, made };
}

/** Waits until no request can proceed by itself. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("makes a few at once, in the order in which they were asked for", async () => {
  const { begun, made } = ask(new CreationQueue(), atOnce + 2);
  await settled();
  expect(begun).toHaveLength(atOnce);
  begun[1]?.resolve();
  expect(await made[1]).toBe(1);
  await settled();
  expect(begun).toHaveLength(atOnce + 1);
  begun[atOnce]?.resolve();
  expect(await made[atOnce]).toBe(atOnce);
  await settled();
  for (const one of begun) one.resolve();
  expect(await Promise.all(made)).toEqual(made.map((_, index) => index));
});

it("goes on after one that fails, which says why", async () => {
  const queue = new CreationQueue();
  const failing = Array.from({ length: atOnce }, () =>
    queue.run(async () => Promise.reject(new Error("no name"))),
  );
  const results = await Promise.allSettled(failing);
  expect(results.every(({ status }) => status === "rejected")).toBe(true);
  expect(await queue.run(async () => "made")).toBe("made");
});

it("refuses those for whom there is no room, and makes the others", async () => {
  const queue = new CreationQueue();
  const { begun, made } = ask(queue, atOnce + maxWaiting);
  await settled();
  await expect(queue.run(async () => 0)).rejects.toThrow(Unavailable);
  for (let done = 0; done < made.length; done += 1) {
    begun[done]?.resolve();
    await made[done];
    await settled();
  }
  expect(begun).toHaveLength(atOnce + maxWaiting);
});
