import { expect, it } from "vitest";

import {
  listOf,
  numberOf,
  objectOf,
  parseObject,
  textMapOf,
  textOf,
  textsOf,
} from "./json-fields.ts";

const others = [undefined, null, true, 1, "text", ["item"], { key: "value" }];

it("parses objects only", () => {
  expect(parseObject('{"a":1}')).toEqual({ a: 1 });
  for (const json of ["", "[1]", "null", "1", '"a"', "{"]) {
    expect(parseObject(json)).toBeUndefined();
  }
});

it("reads values of another type as empty", () => {
  expect(others.map(objectOf)).toEqual([{}, {}, {}, {}, {}, {}, { key: "value" }]);
  expect(others.map(listOf)).toEqual([[], [], [], [], [], ["item"], []]);
  expect(others.map(textOf)).toEqual(["", "", "", "", "text", "", ""]);
  expect(others.map(numberOf)).toEqual([0, 0, 0, 1, 0, 0, 0]);
  expect(textsOf(["a", 1, "b"])).toEqual(["a", "b"]);
  expect(textMapOf({ a: "b", c: 1 })).toEqual({ a: "b", c: "" });
});
