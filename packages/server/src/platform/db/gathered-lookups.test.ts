import { expect, it } from "vitest";

import { GatheredLookups } from "./gathered-lookups.ts";

/** Opens lookups whose statements end on demand: each finds all keys but "nobody". */
function open() {
  const statements: {
    readonly keys: readonly string[];
    readonly end: PromiseWithResolvers<void>;
  }[] = [];
  const lookups = new GatheredLookups(async (keys) => {
    const end = Promise.withResolvers<void>();
    statements.push({ keys, end });
    await end.promise;
    return new Map(keys.filter((key) => key !== "nobody").map((key) => [key, key.toUpperCase()]));
  });
  return { lookups, statements };
}

it("runs a single lookup at once, and those that come meanwhile together, each key once", async () => {
  const { lookups, statements } = open();
  const first = lookups.look("a");
  expect(statements.map(({ keys }) => keys)).toEqual([["a"]]);
  const later = ["a", "b", "nobody", "b"].map((key) => lookups.look(key));
  statements[0]?.end.resolve();
  expect(await first).toBe("A");
  await expect.poll(() => statements.length).toBe(2);
  statements[1]?.end.resolve();
  expect(await Promise.all(later)).toEqual(["A", "B", undefined, "B"]);
  expect(statements.map(({ keys }) => keys)).toEqual([["a"], ["a", "b", "nobody"]]);
});

it("fails for those who shared a statement that failed, and goes on for those after them", async () => {
  const { lookups, statements } = open();
  const first = lookups.look("a");
  const later = lookups.look("b");
  statements[0]?.end.reject(new Error("lost"));
  await expect(first).rejects.toThrow("lost");
  await expect.poll(() => statements.length).toBe(2);
  statements[1]?.end.resolve();
  expect(await later).toBe("B");
});

it("takes so many keys into a statement, and the rest into the next", async () => {
  const { lookups, statements } = open();
  const all = Array.from({ length: 502 }, (_, index) => lookups.look(`k${index}`));
  for (const number of [0, 1, 2]) {
    await expect.poll(() => statements.length).toBe(number + 1);
    statements[number]?.end.resolve();
  }
  expect(await Promise.all(all)).toHaveLength(502);
  expect(statements.map(({ keys }) => keys.length)).toEqual([1, 500, 1]);
});
