import { expect, it } from "vitest";

import { durationFromMs } from "./duration.ts";
import { metadataDuration, metadataSeconds } from "./metadata-duration.ts";

it("puts seconds where nanoseconds belong", () => {
  expect(metadataDuration(10)).toMatchObject({ seconds: 0n, nanos: 10 });
  expect(metadataSeconds(metadataDuration(10))).toBe(10);
});

it("reads a duration of whole seconds as what a peer would make of it", () => {
  expect(metadataSeconds(durationFromMs(1000))).toBe(1_000_000_000);
  expect(metadataSeconds(undefined)).toBe(0);
});
