import { expect, it } from "vitest";

import { checkParameterNames, readParameters } from "./parameter-assignments.ts";

it("splits at the first equals sign, and keeps the last value of a name", () => {
  expect(readParameters(["a=1=2", "b=", "a=3"], "--parameter")).toEqual([
    { name: "a", value: "3" },
    { name: "b", value: "" },
  ]);
});

it.each(["a", "=1", ""])("refuses %j", (text) => {
  expect(() => readParameters([text], "--parameter")).toThrow(
    `--parameter "${text}" has no name and value, wanted name=value`,
  );
});

it("refuses a name that the template does not have", () => {
  const values = [{ name: "sise", value: "1" }];
  expect(() => checkParameterNames(values, ["size", "color"])).toThrow("wanted one of size, color");
  expect(() => checkParameterNames(values, [])).toThrow("it has none");
  expect(() => checkParameterNames([{ name: "size", value: "1" }], ["size"])).not.toThrow();
});
