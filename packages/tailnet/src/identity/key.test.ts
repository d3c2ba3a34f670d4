import { parseHex } from "@slipway/wire/bytes/hex";
import fc from "fast-check";
import { expect, it } from "vitest";

import {
  IdentityError,
  encodeNodeKey,
  formatDiscoKey,
  formatNodeKey,
  keyText,
  parseDiscoKey,
  parseEncodedNodeKey,
  parseNodeKey,
} from "./key.ts";

const digits = "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20";
const anyKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((key) => key.some((byte) => byte !== 0));

it("reads and writes the texts of keys", () => {
  const key = parseNodeKey(`nodekey:${digits}`);
  expect(keyText(key)).toBe(digits);
  expect(formatNodeKey(key)).toBe(`nodekey:${digits}`);
  expect(formatDiscoKey(parseDiscoKey(`discokey:${digits.toUpperCase()}`))).toBe(
    `discokey:${digits}`,
  );
});

it("reads back every key that it wrote", () => {
  fc.assert(
    fc.property(anyKey, (key) => {
      expect(parseNodeKey(formatNodeKey(key))).toEqual(key);
      expect(parseDiscoKey(formatDiscoKey(key))).toEqual(key);
      expect(parseEncodedNodeKey(encodeNodeKey(key))).toEqual(key);
    }),
  );
});

it("says what was wanted in place of a text that is no key", () => {
  expect(() => parseNodeKey(`discokey:${digits}`)).toThrow(
    new IdentityError(
      `invalid node key "discokey:${digits.slice(0, 71)}" (wanted "nodekey:" and 64 hexadecimal digits)`,
    ),
  );
  expect(() => parseDiscoKey("")).toThrow('invalid disco key "" (wanted "discokey:"');
});

it.each([
  "nodekey:",
  `nodekey:${digits}00`,
  `nodekey:${digits.slice(1)}`,
  `nodekey:${digits.slice(1)}g`,
  `NODEKEY:${digits}`,
  ` nodekey:${digits}`,
  `nodekey:${digits}\n`,
])("refuses the text %j", (text) => {
  expect(() => parseNodeKey(text)).toThrow(IdentityError);
});

it("refuses the key of nobody in every form", () => {
  const zeros = new Uint8Array(32);
  expect(() => parseNodeKey(formatNodeKey(zeros))).toThrow(IdentityError);
  expect(() => parseDiscoKey(formatDiscoKey(zeros))).toThrow(IdentityError);
  expect(() => parseEncodedNodeKey(encodeNodeKey(zeros))).toThrow(IdentityError);
});

it("takes 34 bytes with their prefix only", () => {
  const encoded = encodeNodeKey(parseHex(digits));
  for (let length = 0; length < encoded.length; length += 1) {
    expect(() => parseEncodedNodeKey(encoded.subarray(0, length))).toThrow(IdentityError);
  }
  expect(() => parseEncodedNodeKey(Uint8Array.of(...encoded, 0))).toThrow(IdentityError);
  expect(() => parseEncodedNodeKey(encoded.with(0, 0))).toThrow(IdentityError);
});
