import fc from "fast-check";
import { expect, it } from "vitest";

import { BytesError } from "./errors.ts";
import { encodeUtf8, parseUtf8, parseUtf8Lenient } from "./utf8.ts";

it("reads back what it wrote, a byte-order mark included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(parseUtf8(encodeUtf8(text))).toBe(text);
    }),
  );
  expect(parseUtf8(encodeUtf8("\uFEFFx"))).toBe("\uFEFFx");
});

it("refuses what is not UTF-8, or shows it with replacement characters", () => {
  const bytes = Uint8Array.of(0x61, 0xff);
  expect(() => parseUtf8(bytes)).toThrow(BytesError);
  expect(parseUtf8Lenient(bytes)).toBe("a\uFFFD");
});
