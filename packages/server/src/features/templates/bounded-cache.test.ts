import { expect, it } from "vitest";

import { BoundedCache } from "./bounded-cache.ts";

const bounds = { maxEntries: 3, maxBytes: 100, maxAgeMs: 1_000 };

function filled(...entries: readonly (readonly [string, number])[]): BoundedCache<string> {
  const cache = new BoundedCache<string>(bounds);
  for (const [key, bytes] of entries) cache.set(key, { value: key.toUpperCase(), bytes }, 0);
  return cache;
}

function keys(cache: BoundedCache<string>, now = 0): string {
  return ["a", "b", "c", "d"].filter((key) => cache.get(key, now) !== undefined).join("");
}

it("keeps the values that were used last", () => {
  const cache = filled(["a", 1], ["b", 1], ["c", 1]);
  expect(cache.get("a", 0)).toBe("A");
  cache.set("d", { value: "D", bytes: 1 }, 0);
  expect(keys(cache)).toBe("acd");
});

it("keeps no more bytes than fit", () => {
  expect(keys(filled(["a", 40], ["b", 40], ["c", 40]))).toBe("bc");
  expect(keys(filled(["a", 40], ["b", 101]))).toBe("a");
  // A value that replaces another one counts once.
  expect(keys(filled(["a", 60], ["a", 30], ["b", 70]))).toBe("ab");
});

it("forgets values whose time is over, and their bytes", () => {
  const cache = filled(["a", 100]);
  expect(cache.get("a", 999)).toBe("A");
  expect(cache.get("a", 1_000)).toBeUndefined();
  cache.set("b", { value: "B", bytes: 100 }, 1_000);
  expect(keys(cache, 1_000)).toBe("b");
});
