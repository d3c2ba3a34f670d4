import { existsSync } from "node:fs";

import { expect, it } from "vitest";

import { slowFiles } from "./slow-first.ts";

it.each(slowFiles)("starts %s early, which exists", (path) => {
  expect(existsSync(new URL(`../${path}`, import.meta.url))).toBe(true);
});
