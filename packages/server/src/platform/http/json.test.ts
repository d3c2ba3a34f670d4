import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { encodeJson, inspectJson, maxJsonDepth, parseJson } from "./json.ts";

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

const inspect = (text: string, maxValues = Infinity) => inspectJson(Buffer.from(text), maxValues);
const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const tooDeep = `found more than ${maxJsonDepth} nested arrays and objects`;

describe("inspectJson", () => {
  it("counts nested arrays and objects up to the limit", () => {
    expect(parseJson(inspect(nested(maxJsonDepth)))).toEqual(JSON.parse(nested(maxJsonDepth)));
    expect(() => inspect(nested(maxJsonDepth + 1))).toThrow(tooDeep);
    inspect(`${'{"a":['.repeat(maxJsonDepth / 2)}1`);
    expect(() => inspect(`${'{"a":['.repeat(maxJsonDepth / 2)}{`)).toThrow(tooDeep);
  });

  it("counts what is open at once, not how many there are", () => {
    inspect(`[${"[],{},".repeat(1_000)}1]`);
  });

  it("leaves out what stands in texts, with and without escapes", () => {
    const brackets = "[,".repeat(maxJsonDepth * 2);
    expect(inspect(`["${brackets}"]`).values).toBe(2);
    expect(inspect(String.raw`["\"${brackets}"]`).values).toBe(2);
    expect(() => inspect(String.raw`["\\",${brackets}]`)).toThrow(tooDeep);
    expect(inspect(`"${brackets}`).values).toBe(1);
  });

  it.each([
    ["1", 1],
    ["[1,2,3]", 4],
    ['{"a":1,"b":[true,null]}', 5],
    ['[{"a":1},{"a":2}]', 5],
  ])("counts the values of %s", (text, values) => {
    expect(inspect(text, values).values).toBe(values);
    expect(() => inspect(text, values - 1)).toThrow(`found more than ${values - 1} values`);
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => inspectJson(Buffer.from([0x22, 0xff, 0x22]), 10)).toThrow("not UTF-8");
  });
});
