import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { encodeJson } from "./json.ts";

describe("encodeJson", () => {
  it("ends with a line feed and escapes what HTML and JavaScript would read", () => {
    expect(encodeJson({ a: "<b>&\u2028\u2029</b>" })).toBe(
      String.raw`{"a":"\u003cb\u003e\u0026\u2028\u2029\u003c/b\u003e"}` + "\n",
    );
  });

  it("writes nothing as null", () => {
    expect(encodeJson(undefined)).toBe("null\n");
    expect(encodeJson(null)).toBe("null\n");
  });

  it("reads back as the same value, without a character that HTML knows", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = encodeJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text).not.toMatch(/[<>&\u2028\u2029]/);
      }),
    );
  });
});
