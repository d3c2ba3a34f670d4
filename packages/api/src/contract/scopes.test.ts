import { expect, it } from "vitest";

import { scopeNames } from "./scopes.ts";

it("names every scope once, sorted, with a wildcard for each resource", () => {
  expect(scopeNames).toEqual([...new Set(scopeNames)].toSorted((a, b) => (a < b ? -1 : 1)));
  expect(scopeNames).toHaveLength(55);
  expect(scopeNames).toContain("workspace:*");
  expect(scopeNames).toContain("coder:all");
});
