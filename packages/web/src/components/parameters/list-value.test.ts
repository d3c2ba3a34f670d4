import { expect, it } from "vitest";

import { encodeListValue, readListValue, valueText } from "./list-value.ts";

it("reads the lists that it writes, and nothing from other texts", () => {
  expect(readListValue(encodeListValue(["a", 'b"'])).join()).toBe('a,b"');
  for (const text of ["", "x", "{}", "null", "[1]"]) expect(readListValue(text)).toEqual([]);
});

it.each([
  ['["go","rust"]', "go, rust"],
  ["[]", "none"],
  ["go", "go"],
  ["", ""],
  ["[1]", "[1]"],
  ['["go",1]', '["go",1]'],
  ['{"a":1}', '{"a":1}'],
])("shows the value %s as %s", (value, text) => {
  expect(valueText(value)).toBe(text);
});
