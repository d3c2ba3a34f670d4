import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { drpcCodeUnimplemented, encodeRpcError, parseRpcError } from "./rpc-error.ts";

it.each([
  [0, "boom", "0000000000000000626f6f6d"],
  [drpcCodeUnimplemented, "Unimplemented", "000000000000000c556e696d706c656d656e746564"],
])("writes code %i, %s", (code, message, hex) => {
  expect(encodeHex(encodeRpcError({ code, message }))).toBe(hex);
  expect(parseRpcError(parseHex(hex))).toEqual({ code, message });
});

it("refuses less than a code", () => {
  expect(() => parseRpcError(new Uint8Array(7))).toThrow(
    expect.objectContaining({ code: "malformed-frame" }),
  );
});

it("shows a text that is not UTF-8", () => {
  expect(parseRpcError(parseHex("000000000000000061ff"))).toEqual({ code: 0, message: "a\uFFFD" });
});

it("reads back what it wrote", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.string({ unit: "grapheme" }), (code, message) => {
      expect(parseRpcError(encodeRpcError({ code, message }))).toEqual({ code, message });
    }),
  );
});
