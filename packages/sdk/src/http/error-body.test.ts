import fc from "fast-check";
import { expect, it } from "vitest";

import { parseErrorBody } from "./error-body.ts";

it("reads what a server says", () => {
  const body = { message: "no", detail: "why", validations: [{ field: "f", detail: "d" }] };
  expect(parseErrorBody(JSON.stringify(body))).toEqual(body);
  expect(parseErrorBody('{"message":"no"}')).toEqual({ message: "no" });
});

it.each(["", "<html>", "null", "[]", "7", '"no"', "{}", '{"message":7}', '{"message":null}'])(
  "takes %j for none",
  (text) => {
    expect(parseErrorBody(text)).toBeUndefined();
  },
);

it("leaves out what is not of the form", () => {
  const odd = { message: "no", detail: { a: 1 }, validations: "all" };
  expect(parseErrorBody(JSON.stringify(odd))).toEqual({ message: "no" });
  const mixed = { message: "no", validations: [null, 7, { field: "f" }] };
  expect(parseErrorBody(JSON.stringify(mixed))?.validations).toEqual([
    { field: "", detail: "" },
    { field: "", detail: "" },
    { field: "f", detail: "" },
  ]);
});

it("cuts what nobody would read", () => {
  const long = "x".repeat(1_000_000);
  const validations = Array.from({ length: 50 }, () => ({ field: long, detail: long }));
  const text = JSON.stringify({ message: long, detail: long, validations });
  const body = parseErrorBody(text);
  expect(body?.message).toHaveLength(4_097);
  expect(body?.detail).toHaveLength(4_097);
  expect(JSON.stringify(body).length).toBeLessThan(300_000);
});

it("reads any JSON", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const body = parseErrorBody(text);
      expect(body === undefined || typeof body.message === "string").toBe(true);
    }),
  );
});
