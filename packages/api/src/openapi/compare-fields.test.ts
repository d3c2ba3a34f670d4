import { expect, it } from "vitest";

import { compareFields, shapeOf } from "./compare-fields.ts";

const root = {
  definitions: { Kind: { type: "string", enum: ["b", "a"] } },
};

function compare(theirs: object, ours: object): string[] {
  return compareFields(shapeOf(theirs, root), shapeOf(ours, root), "answer");
}

it("finds nothing where references, null and the order of choices are all that differs", () => {
  const theirs = {
    type: "object",
    properties: {
      kind: { $ref: "#/definitions/Kind" },
      parent: {
        type: "object",
        properties: { uuid: { type: "string" } },
        "x-wire-type": "string-or-null",
      },
      lower: { type: "integer", "x-wire-name": "Upper" },
    },
  };
  const ours = {
    type: "object",
    properties: {
      kind: { type: "string", enum: ["a", "b"] },
      parent: { anyOf: [{ type: "string" }, { type: "null" }] },
      Upper: { type: "integer" },
    },
  };
  expect(compare(theirs, ours)).toEqual([]);
});

it("names fields that are missing, that are more, and those of another type", () => {
  const theirs = {
    type: "object",
    properties: {
      gone: { type: "string" },
      list: { type: "array", items: { type: "object", properties: { n: { type: "integer" } } } },
      at: { type: "string", format: "date-time" },
      either: { type: "string" },
    },
  };
  const ours = {
    type: "object",
    properties: {
      list: { type: "array", items: { type: "object", properties: { n: { type: "string" } } } },
      at: { type: "string" },
      either: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
      fresh: { type: "object", additionalProperties: { type: "boolean" } },
    },
  };
  expect(compare(theirs, ours)).toEqual([
    "answer.gone: missing",
    "answer.list[].n: string for integer",
    "answer.at: string for string (date-time)",
    "answer.either: string or array for string",
    "answer.fresh: more",
  ]);
});
