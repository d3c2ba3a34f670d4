import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseSize, sizePattern, sizeText } from "./size.ts";

describe("parseSize", () => {
  it.each([
    ["512MiB", 512 * 2 ** 20],
    ["512Mi", 512 * 2 ** 20],
    ["2GiB", 2 ** 31],
    ["1.5Gi", 1.5 * 2 ** 30],
    ["1TiB", 2 ** 40],
    ["64Ki", 65_536],
    ["2GB", 2e9],
    ["2G", 2e9],
    ["300M", 3e8],
    ["4kB", 4_000],
    ["4KB", 4_000],
    ["4k", 4_000],
    ["100B", 100],
    ["0.001KiB", 1],
    ["999999999TiB", 999_999_999 * 2 ** 40],
  ])("reads %s as %i bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["", "2", "2g", "512m", "2 GiB", "-1GiB", "1e9B", "GiB", "2gib", "1.GiB", "1.2345GiB"])(
    "refuses %j",
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );

  it("reads what sizeText writes, and the pattern for editors agrees", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999 }), (bytes) => {
        expect(parseSize(sizeText(bytes))).toBe(bytes);
        expect(sizeText(bytes)).toMatch(new RegExp(sizePattern, "u"));
      }),
    );
  });
});
