import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readRange } from "./send-file.ts";

describe("readRange", () => {
  it.each([
    ["bytes=0-0", { kind: "part", first: 0, last: 0 }],
    ["bytes=2-5", { kind: "part", first: 2, last: 5 }],
    ["bytes=2-", { kind: "part", first: 2, last: 9 }],
    ["bytes=2-99", { kind: "part", first: 2, last: 9 }],
    ["bytes=-3", { kind: "part", first: 7, last: 9 }],
    ["bytes=-99", { kind: "part", first: 0, last: 9 }],
    ["bytes=10-", { kind: "outside" }],
    ["bytes=-0", { kind: "outside" }],
    ["bytes=999999999999999-", { kind: "outside" }],
    ["bytes=5-2", { kind: "whole" }],
    ["bytes=-", { kind: "whole" }],
    ["bytes=0-1,4-5", { kind: "whole" }],
    ["lines=0-1", { kind: "whole" }],
    ["bytes=0x1-2", { kind: "whole" }],
    ["bytes=--1", { kind: "whole" }],
    [undefined, { kind: "whole" }],
  ])("of %s in ten bytes is %o", (header, part) => {
    expect(readRange(header, 10)).toEqual(part);
  });

  it("never leaves the file", () => {
    const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,20}-\d{0,20}$/));
    fc.assert(
      fc.property(header, fc.nat({ max: 1000 }), (text, bytes) => {
        const part = readRange(text, bytes);
        if (part.kind !== "part") return;
        expect(part.first).toBeGreaterThanOrEqual(0);
        expect(part.last).toBeGreaterThanOrEqual(part.first);
        expect(part.last).toBeLessThan(bytes);
      }),
    );
  });
});
