import { describe, expect, it } from "vitest";

import { maxValueLength } from "./limits.ts";
import { parseTemplateDefinition } from "./parse-definition.ts";
import { resolveParameters } from "./resolve-parameters.ts";

function definitionOf(parameters: string, presets = "{}") {
  const text = `driver: process\nagents: { main: {} }\nparameters: { ${parameters} }\npresets: ${presets}\n`;
  const result = parseTemplateDefinition(text, { drivers: ["process"] });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.definition;
}

const p = (value: string) => [{ name: "p", value }];
const resolve = (
  parameter: string,
  given: readonly { name: string; value: string }[],
  previous?: readonly { name: string; value: string }[],
) =>
  resolveParameters(definitionOf(`p: { ${parameter} }`), {
    given,
    ...(previous === undefined ? {} : { previous }),
  });
const refused = (message: string, field = "p") => ({
  problems: [{ field, message: expect.stringContaining(message) }],
});

it("refuses values that are too long together", () => {
  const names = Array.from({ length: 9 }, (_, index) => `p${index}`);
  const definition = definitionOf(names.map((name) => `${name}: { default: "" }`).join(", "));
  const value = "x".repeat(maxValueLength);
  const given = names.map((name) => ({ name, value }));
  expect(resolveParameters(definition, { given })).toEqual(
    refused(`found ${9 * maxValueLength} characters in all values together`, "p0"),
  );
  expect(resolveParameters(definition, { given: given.slice(1) })).toHaveProperty("values");
});

describe("which value counts", () => {
  const definition = definitionOf(
    "a: { default: d, mutable: true }, b: { default: e }",
    "{ x: { parameters: { a: preset } } }",
  );

  it("takes the default where nobody says anything", () => {
    expect(resolveParameters(definition, { given: [] })).toEqual({
      values: [
        { name: "a", value: "d" },
        { name: "b", value: "e" },
      ],
    });
  });

  it("prefers the preset to the request, that to the build before, and that to the default", () => {
    const given = [{ name: "a", value: "given" }];
    const previous = [{ name: "a", value: "before" }];
    const first = (choice: Parameters<typeof resolveParameters>[1]) => {
      const result = resolveParameters(definition, choice);
      return "values" in result ? result.values[0]?.value : result.problems;
    };
    expect(first({ preset: "x", given, previous })).toBe("preset");
    expect(first({ given, previous })).toBe("given");
    expect(first({ given: [], previous })).toBe("before");
  });

  it("drops values of the build before whose parameter is gone", () => {
    const result = resolveParameters(definition, {
      given: [],
      previous: [{ name: "gone", value: "x" }],
    });
    expect("values" in result ? result.values.map(({ name }) => name) : []).toEqual(["a", "b"]);
  });

  it("refuses unknown presets and parameters by name, with what was meant", () => {
    const wrong = definitionOf("color: { default: red }", "{ quick: {} }");
    expect(
      resolveParameters(wrong, { preset: "quik", given: [{ name: "colour", value: "x" }] }),
    ).toEqual({
      problems: [
        { field: "preset", message: 'unknown preset "quik"; did you mean `quick`?' },
        { field: "colour", message: 'unknown parameter "colour"; did you mean `color`?' },
      ],
    });
  });

  it("refuses two values for one parameter", () => {
    expect(resolve("default: x", [...p("a"), ...p("b")])).toEqual(refused("found a second value"));
  });

  it("is not fooled by names that every object has", () => {
    expect(resolveParameters(definition, { given: [{ name: "__proto__", value: "x" }] })).toEqual(
      refused("unknown parameter", "__proto__"),
    );
    expect(resolveParameters(definition, { preset: "constructor", given: [] })).toEqual(
      refused("unknown preset", "preset"),
    );
  });
});

describe("required, fixed and passing parameters", () => {
  it("needs a value without a default", () => {
    expect(resolve("type: string", [])).toEqual(refused("missing value"));
    expect(resolve("type: string", p(""))).toEqual({ values: p("") });
  });

  it("refuses to change a fixed value after the first build", () => {
    expect(resolve("default: a", p("b"))).toEqual({ values: p("b") });
    expect(resolve("default: a", p("c"), p("b"))).toEqual(refused('found "c", wanted "b"'));
    expect(resolve("default: a", p("b"), p("b"))).toEqual({ values: p("b") });
    expect(resolve("default: a", p("c"), [])).toEqual({ values: p("c") });
    expect(resolve("default: a, mutable: true", p("c"), p("b"))).toEqual({ values: p("c") });
  });

  it("lets a fixed value be mended that the template no longer allows", () => {
    const parameter = "default: x, options: [{ name: X, value: x }]";
    expect(resolve(parameter, [], p("old"))).toEqual(refused('found "old", wanted one of "x"'));
    expect(resolve(parameter, p("x"), p("old"))).toEqual({ values: p("x") });
  });

  it("forgets an ephemeral value after its build", () => {
    expect(resolve("default: 'no', ephemeral: true", p("yes"))).toEqual({ values: p("yes") });
    expect(resolve("default: 'no', ephemeral: true", [], p("yes"))).toEqual({ values: p("no") });
  });
});

describe("what fits", () => {
  it.each([
    ["type: number", "1.5", true],
    ["type: number", "-3", true],
    ["type: number", "1e3", false],
    ["type: number", "", false],
    ["type: number", "NaN", false],
    ["type: bool", "true", true],
    ["type: bool", "True", false],
    ["type: list(string)", '["a"]', true],
    ["type: list(string)", "[1]", false],
    ["type: list(string)", "{}", false],
    ["type: list(string)", "a,b", false],
    ["options: [{ name: A, value: a }]", "a", true],
    ["options: [{ name: A, value: a }]", "b", false],
    [
      "type: list(string), options: [{ name: A, value: a }, { name: B, value: b }]",
      '["b","a"]',
      true,
    ],
    ["type: list(string), options: [{ name: A, value: a }]", '["c"]', false],
    [
      "type: list(string), form_type: radio, options: [{ name: A, value: [a, b] }]",
      '["a","b"]',
      true,
    ],
    ["type: number, validation: { min: 2, max: 4 }", "2", true],
    ["type: number, validation: { min: 2, max: 4 }", "1", false],
    ["type: number, validation: { min: 2, max: 4 }", "4.5", false],
    ["validation: { regex: '^a+$' }", "aa", true],
    ["validation: { regex: '^a+$' }", "ab", false],
    ["type: string", "a\0b", false],
    ["type: string", "x".repeat(16_385), false],
  ])("%s: %j → %s", (parameter, value, fits) => {
    expect("values" in resolve(parameter, p(value))).toBe(fits);
  });

  it("lets a monotonic number only grow or shrink", () => {
    const up = "type: number, mutable: true, validation: { monotonic: increasing }";
    const down = "type: number, mutable: true, validation: { monotonic: decreasing }";
    expect(resolve(up, p("3"), p("2"))).toEqual({ values: p("3") });
    expect(resolve(up, p("1"), p("2"))).toEqual(refused("may only increase"));
    expect(resolve(down, p("3"), p("2"))).toEqual(refused("may only decrease"));
    expect(resolve(up, p("1"))).toEqual({ values: p("1") });
  });

  it("tells the template's own words first", () => {
    expect(resolve("validation: { regex: '^a$', error: only a please }", p("b"))).toEqual(
      refused("only a please (found"),
    );
  });

  it("gives up on an expression that takes for ever", () => {
    expect(resolve("validation: { regex: '^(a+)+$' }", p(`${"a".repeat(60)}b`))).toEqual(
      refused("wanted a value that matches"),
    );
  });
});
