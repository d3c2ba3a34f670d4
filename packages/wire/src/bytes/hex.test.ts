import fc from "fast-check";
import { expect, it } from "vitest";

import { BytesError } from "./errors.ts";
import { encodeHex, parseHex } from "./hex.ts";

it("writes two lower-case digits a byte", () => {
  expect(encodeHex(Uint8Array.of(0, 0x0a, 0xff))).toBe("000aff");
});

it("reads either case", () => {
  expect(parseHex("0aFf")).toEqual(Uint8Array.of(0x0a, 0xff));
});

it.each(["0", "0g", "00 11", "0x00"])("refuses %j", (text) => {
  expect(() => parseHex(text)).toThrow(BytesError);
});

it("reads back what it wrote", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(parseHex(encodeHex(bytes))).toEqual(bytes);
    }),
  );
});
