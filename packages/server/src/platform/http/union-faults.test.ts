import { describe, expect, it } from "vitest";

import { createValidator, validationError } from "./validation.ts";

const nothing = { type: "null" };
const check = createValidator({ findsAll: true }).compile({
  type: "object",
  properties: {
    text: { anyOf: [{ type: "string", maxLength: 3 }, nothing] },
    choice: { anyOf: [{ type: "string", enum: ["a", "b"] }, nothing] },
    choices: {
      anyOf: [
        { type: "string", enum: ["a"] },
        { type: "string", enum: ["b"] },
      ],
    },
    list: { anyOf: [{ type: "array", items: { type: "string", enum: ["a", "b"] } }, nothing] },
    object: {
      anyOf: [
        {
          type: "object",
          required: ["id"],
          properties: { id: { anyOf: [{ type: "integer" }, nothing] } },
        },
        nothing,
      ],
    },
    name: { type: "string" },
  },
});

function faultsOf(body: unknown): readonly object[] {
  return check(body) ? [] : validationError(check.errors ?? []).validations;
}

describe("a value that fits no branch of a union", () => {
  it.each([
    [{ text: 1 }, "text", "must be string or null"],
    [{ text: "long" }, "text", "must have at most 3 characters"],
    [{ choice: "c" }, "choice", "must be one of a, b"],
    [{ choice: 1 }, "choice", "must be string or null"],
    [{ choices: "c" }, "choices", "must be one of a, b"],
    [{ list: "a" }, "list", "must be array or null"],
    [{ list: ["a", "c"] }, "list.1", "must be one of a, b"],
    [{ object: {} }, "object.id", "is required"],
    [{ object: { id: "x" } }, "object.id", "must be integer or null"],
  ])("has one fault: %j", (body, field, detail) => {
    expect(faultsOf(body)).toEqual([{ field, detail }]);
  });

  it("hides no fault of another field", () => {
    expect(faultsOf({ name: 1, text: 1, choice: "c" })).toHaveLength(3);
  });

  it("may be null", () => {
    expect(faultsOf({ text: null, choice: null, list: null, object: null })).toEqual([]);
  });
});
