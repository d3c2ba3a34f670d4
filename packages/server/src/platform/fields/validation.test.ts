import { contract } from "@slipway/api/contract";
import { routesOf } from "@slipway/api/contract/route";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";

import { createValidator, validationError } from "./validation.ts";

/** A route's schema as TypeBox generates it. */
const schema = {
  type: "object",
  required: ["name", "transition"],
  properties: {
    name: { type: "string", minLength: 1 },
    transition: { type: "string", enum: ["start", "stop"] },
    id: { type: "string", format: "uuid" },
    at: { type: "string", format: "date-time" },
    rows: {
      type: "array",
      items: { type: "object", required: ["value"], properties: { value: { type: "integer" } } },
    },
  },
};
const check = createValidator({ findsAll: true }).compile(schema);
const good = { name: "a", transition: "start" };

function faultsOf(body: unknown): readonly object[] {
  return check(body) ? [] : validationError(check.errors ?? []).validations;
}

describe("the validator", () => {
  it("compiles what each route takes, which the server does at the first request", () => {
    const validator = createValidator({ findsAll: true });
    const schemas = routesOf(contract).flatMap(({ route: { params, query, body } }) => [
      params,
      query,
      body,
    ]);
    expect(schemas.length).toBeGreaterThan(300);
    const valid = new Ajv({ strict: false });
    for (const one of schemas) {
      expect(valid.validateSchema(one ?? {})).toBe(true);
      expect(validator.compile(one ?? {})).toBeTypeOf("function");
    }
  });

  it("takes keys that it does not know and keeps them", () => {
    const body = { ...good, unknown: 1 };
    expect(faultsOf(body)).toEqual([]);
    expect(body).toEqual({ ...good, unknown: 1 });
  });

  it("names each field and what is wanted of it", () => {
    expect(
      faultsOf({ name: 7, transition: "pause", rows: [{ value: 1 }, { value: "2" }, {}] }),
    ).toEqual([
      { field: "name", detail: "must be string" },
      { field: "transition", detail: "must be one of start, stop" },
      { field: "rows.1.value", detail: "must be integer" },
      { field: "rows.2.value", detail: "is required" },
    ]);
  });

  it("names a field that is missing, and a body that is none", () => {
    expect(faultsOf({ name: "a" })).toEqual([{ field: "transition", detail: "is required" }]);
    expect(faultsOf(undefined)).toEqual([{ field: "body", detail: "must be object" }]);
    expect(faultsOf([])).toEqual([{ field: "body", detail: "must be object" }]);
  });

  it.each([
    [{ minLength: 1 }, "", "must not be empty"],
    [{ minLength: 3 }, "b", "must have at least 3 characters"],
    [{ maxLength: 1 }, "bb", "must have at most 1 character"],
    [{ minItems: 2 }, [1], "must have at least 2 items"],
    [{ maxItems: 2 }, [1, 2, 3], "must have at most 2 items"],
    [{ maxProperties: 1 }, { a: 1, b: 2 }, "must have at most 1 key"],
    [{ minimum: 5 }, 4, "must be at least 5"],
    [{ maximum: 5 }, 6, "must be at most 5"],
    [{ format: "uuid" }, "x", "must be a UUID"],
    [
      { format: "date-time" },
      "today",
      "must be a time with its zone, such as 2026-07-24T05:20:02Z",
    ],
  ])("says of %j in words what is wanted", (rule, value, detail) => {
    const validate = createValidator().compile({ properties: { field: rule } });
    expect(validate({ field: value })).toBe(false);
    const { validations } = validationError(validate.errors ?? []);
    expect(validations).toEqual([{ field: "field", detail }]);
  });

  it("never turns a value into another type", () => {
    expect(faultsOf({ ...good, name: 1 })).toHaveLength(1);
    expect(faultsOf({ ...good, rows: { value: 1 } })).toHaveLength(1);
  });

  it.each(["0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5BD9CB469FA16570867728950E"])(
    "takes the UUID %s",
    (id) => {
      expect(faultsOf({ ...good, id })).toEqual([]);
    },
  );

  it("takes times with zones and refuses others", () => {
    const times = ["2026-07-24T05:20:02Z", "2026-07-24t05:20:02.123456+02:00", "2026-07-24"];
    expect(times.map((at) => faultsOf({ ...good, at }).length)).toEqual([0, 0, 1]);
  });

  it("names 20 faults at most", () => {
    const rows = Array.from({ length: 100 }, () => ({}));
    expect(faultsOf({ ...good, rows })).toHaveLength(20);
  });
});

const nothing = { type: "null" };
const checkUnions = createValidator({ findsAll: true }).compile({
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

function unionFaultsOf(body: unknown): readonly object[] {
  return checkUnions(body) ? [] : validationError(checkUnions.errors ?? []).validations;
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
    expect(unionFaultsOf(body)).toEqual([{ field, detail }]);
  });

  it("hides no fault of another field", () => {
    expect(unionFaultsOf({ name: 1, text: 1, choice: "c" })).toHaveLength(3);
  });

  it("may be null", () => {
    expect(unionFaultsOf({ text: null, choice: null, list: null, object: null })).toEqual([]);
  });
});
