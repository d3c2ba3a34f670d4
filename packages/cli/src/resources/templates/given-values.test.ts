import { expect, it } from "vitest";

import { checkParameterNames, parseValuesFile, readParameters } from "./given-values.ts";

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

it("reads values as they are written", async () => {
  const text =
    "size: large\ncount: 1.10\nfast: yes\nempty:\nzones: [a, 'b, c']\nnote: |\n  two\n  lines\n";
  expect(await parseValuesFile(text, "v.yaml")).toEqual([
    { name: "size", value: "large" },
    { name: "count", value: "1.10" },
    { name: "fast", value: "yes" },
    { name: "empty", value: "" },
    { name: "zones", value: '["a","b, c"]' },
    { name: "note", value: "two\nlines\n" },
  ]);
  expect(await parseValuesFile("", "v.yaml")).toEqual([]);
  expect(await parseValuesFile("# nothing\n", "v.yaml")).toEqual([]);
});

it.each([
  ["- a\n- b\n", "v.yaml is not a map of names to values"],
  ["just text", "v.yaml is not a map of names to values"],
  ["a: { b: c }", "v.yaml sets a to a map"],
  ["a: 'open", "v.yaml is not valid YAML"],
  ["a: 1\na: 2\n", "v.yaml is not valid YAML: Map keys must be unique"],
  ["a: &x [b]\nc: *x\n", "v.yaml is not valid YAML"],
])("refuses %j", async (text, message) => {
  await expect(parseValuesFile(text, "v.yaml")).rejects.toThrow(message);
});
