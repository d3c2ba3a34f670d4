import { expect, it } from "vitest";

import { findFreePort } from "./ports.ts";

it("takes the first free port from a random one on, around the end", () => {
  expect(findFreePort(0, () => true)).toBe(49_152);
  expect(findFreePort(0xffff_ffff, () => true)).toBe(65_535);
  expect(findFreePort(0xffff_ffff, (port) => port !== 65_535)).toBe(49_152);
});

it("says so when all ports are in use", () => {
  const asked = new Set<number>();
  const find = (): number =>
    findFreePort(12_345, (port) => {
      asked.add(port);
      return false;
    });
  expect(find).toThrow(expect.objectContaining({ code: "no-ports", retryable: true }));
  expect(asked.size).toBe(16_384);
});
