import { expect, it } from "vitest";

import { SegmentLimit } from "./segment-limit.ts";

it("is the least of what both ends and the path take, less the options", () => {
  const limit = new SegmentLimit(16_000);
  expect(limit.bytes).toBe(16_000);
  limit.agree(9000, 12);
  expect(limit.bytes).toBe(8988);
  limit.setPath(1220);
  expect(limit.bytes).toBe(1208);
  limit.setPath(60_000);
  expect(limit.bytes).toBe(8988);
});

it("takes no path to carry less than headers are worth", () => {
  const limit = new SegmentLimit(16_000);
  limit.setPath(0);
  expect(limit.bytes).toBe(64);
});

it("falls for a minute to what every path takes", () => {
  const limit = new SegmentLimit(16_000);
  limit.beCautious(1000);
  limit.refresh(60_999);
  expect(limit.bytes).toBe(1220);
  limit.refresh(61_000);
  expect(limit.bytes).toBe(16_000);
  const small = new SegmentLimit(500);
  small.beCautious(0);
  expect(small.bytes).toBe(500);
});
