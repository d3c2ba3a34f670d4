import { type Stats, statSync } from "node:fs";

import { expect, it } from "vitest";

import { attributesOf, longName } from "./file-attributes.ts";

/** Returns the attributes of a file that was changed at this time, as reported by `fs`. */
function changedAt(mtimeMs: number): Stats {
  return Object.assign(statSync("/"), { mtimeMs, mtime: new Date(mtimeMs) });
}

it.each([
  [Date.UTC(2001, 8, 9, 1, 46, 40), 1_000_000_000, "2001-09-09 01:46"],
  [-1_000, 0, "1970-01-01 00:00"],
  // Some file systems store times that no `Date` can hold.
  [9_999_999_999_999_000, 0xffffffff, "2106-02-07 06:28"],
])("lists a file that was changed at %d ms", (ms, seconds, date) => {
  const stats = changedAt(ms);
  expect(attributesOf(stats).times.modified).toBe(seconds);
  expect(longName("file", stats).endsWith(` ${date} file`)).toBe(true);
});
