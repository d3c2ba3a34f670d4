import { expect, it } from "vitest";

import { base32Hex } from "./base32hex.ts";

it.each([
  ["", ""],
  ["f", "co"],
  ["fo", "cpng"],
  ["foo", "cpnmu"],
  ["foob", "cpnmuog"],
  ["fooba", "cpnmuoj1"],
  ["foobar", "cpnmuoj1e8"],
])("encodes %j as RFC 4648 section 10 does", (text, encoded) => {
  expect(base32Hex(new TextEncoder().encode(text))).toBe(encoded);
});
