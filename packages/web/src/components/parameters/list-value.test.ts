import { expect, it } from "vitest";

import { encodeListValue, readListValue } from "./list-value.ts";

it("reads the lists that it writes, and nothing from other texts", () => {
  expect(readListValue(encodeListValue(["a", 'b"'])).join()).toBe('a,b"');
  for (const text of ["", "x", "{}", "null", "[1]"]) expect(readListValue(text)).toEqual([]);
});
