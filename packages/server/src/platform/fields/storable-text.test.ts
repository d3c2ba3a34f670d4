import { expect, it } from "vitest";

import { storableText, unstorableField } from "./storable-text.ts";

it("finds nothing in what can be kept", () => {
  expect(unstorableField({ a: "ä😀\n", b: [1, null, true, { c: "" }] })).toBeUndefined();
  expect(unstorableField(undefined)).toBeUndefined();
});

it.each([
  ["\0", ""],
  [{ a: "x\0" }, "a"],
  [{ a: [{ b: "" }, { b: "\uD800" }] }, "a.1.b"],
  [{ "a\0": 1 }, ""],
])("names the field in %j", (value, field) => {
  expect(unstorableField(value)).toBe(field);
});

it("makes a text storable", () => {
  expect(storableText("a\0b \ud83d \u{1f600}")).toBe("ab \ufffd \u{1f600}");
});
