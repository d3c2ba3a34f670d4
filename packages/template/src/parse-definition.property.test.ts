import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { templateJsonSchema } from "./json-schema.ts";
import { maxReadCharacters, maxYamlTokens } from "./limits.ts";
import type { ParsedTemplate } from "./parse-definition.ts";
import { parseTemplateDefinition } from "./parse-definition.ts";
import type { TemplateProblem } from "./problem.ts";

const options = { drivers: ["process", "external", "docker"] };
const examples = ["demo", "docker", "external", "pool"].map((name) =>
  readFileSync(new URL(`../../../examples/${name}.slipway.yaml`, import.meta.url), "utf8"),
);
const isValid = new Ajv({ strict: false }).compile(templateJsonSchema());

const scraps = [
  "~",
  "null",
  "true",
  "- ",
  ": ",
  "{",
  "}",
  "[",
  "]",
  '"',
  "'",
  "|",
  ">",
  "&a ",
  "*a",
  "!x ",
  "#",
  "? ",
  "\n",
  "  ",
  "\t",
  "${{",
  "}}",
  "\0",
  "\ud800",
  "5",
  "x",
  ",",
  "---\n",
  "%YAML 1.1\n---\n",
  "<<: *a",
  "__proto__: 1",
];
const truncate = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.nat({ max: 12 }),
  put: fc.oneof(fc.constantFrom(...scraps), fc.string({ maxLength: 4 })),
});
const mutated = fc
  .record({
    example: fc.constantFrom(...examples),
    cuts: fc.array(truncate, { minLength: 1, maxLength: 4 }),
  })
  .map(({ example, cuts }) =>
    cuts.reduce((text, { at, drop, put }) => {
      const index = Math.floor(at * text.length);
      return text.slice(0, index) + put + text.slice(index + drop);
    }, example),
  );

/** Lists the faults of any result; `text` is its source. */
function faultsOf(result: ParsedTemplate, text: string): readonly string[] {
  if ("problems" in result) {
    const lines = text.split("\n");
    const isPlaced = ({ line, column }: TemplateProblem) =>
      line >= 1 && column >= 1 && column <= (lines[line - 1]?.length ?? -1) + 1;
    const faults = result.problems.filter(
      (problem) => !isPlaced(problem) || problem.message === "",
    );
    return result.problems.length === 0
      ? ["no problem"]
      : faults.map((fault) => JSON.stringify(fault));
  }
  const json = JSON.stringify(result.definition);
  return [
    ...(isDeepStrictEqual(JSON.parse(json), withoutUndefined(result.definition))
      ? []
      : ["changed by JSON"]),
    ...(/\\u0000|\\ud[89a-f]/.test(json) ? ["text that PostgreSQL refuses"] : []),
    ...(isValid(parse(text)) ? [] : [`refused by the schema: ${JSON.stringify(isValid.errors)}`]),
  ];
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(kept.map(([key, one]) => [key, withoutUndefined(one)]));
}

describe("any text", () => {
  it("gives a definition that JSON keeps and the schema allows, or problems with places in the text", () => {
    const anyText = fc.oneof(
      { arbitrary: mutated, weight: 20 },
      { arbitrary: fc.string(), weight: 1 },
    );
    fc.assert(
      fc.property(anyText, (text) => {
        expect(faultsOf(parseTemplateDefinition(text, options), text)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("hostile texts", () => {
  const many = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => line(index)).join("");
  it.each([
    ["deep brackets", "[".repeat(maxYamlTokens - 10)],
    ["deep braces", "{a: ".repeat(10_000)],
    ["deep dashes", "- ".repeat(20_000)],
    ["deep question marks", "? ".repeat(20_000)],
    ["too many tokens", "a: b\n".repeat(100_000)],
    ["quotes", '"'.repeat(40_000)],
    ["one key again and again", "a: 1\n".repeat(9_000)],
    [
      "aliases of aliases",
      many(
        30,
        (index) => `a${index}: &a${index} [${`*a${index - 1},`.repeat(index === 0 ? 0 : 9)}]\n`,
      ),
    ],
    ["a map that holds itself", "agents: &a { main: *a }"],
    [
      "many aliases",
      `driver: process\nx: &x 1\nagents: { main: { env: { ${many(250, (index) => `A${index}: *x, `)} } } }`,
    ],
    ["dollars", `driver: process\nagents: { a: { directory: "${"$".repeat(900_000)}\${{ x }}" } }`],
    [
      "dollars in scripts",
      `driver: process\nagents:\n  a:\n    metadata:\n${many(14, (index) => `      m${index}: { run: "${"$".repeat(60_000)}\${{ x }}" }\n`)}`,
    ],
    ["blanks in braces", `a: { b: c${" ".repeat(900_000)}d, or more }`],
    [
      "blanks in braces of a text",
      `parameters: { p: { description: c${" ".repeat(900_000)}d, or more } }`,
    ],
  ])("does not choke on %s", (_, text) => {
    const result = parseTemplateDefinition(text, options);
    expect("problems" in result && result.problems.length > 0).toBe(true);
  });

  it("does not let aliases make a small file large", () => {
    const scripts = many(
      90,
      (index) => `      k${index}: { run: "${"b".repeat(5_000)}", run_on: [start] }\n`,
    );
    const text = `driver: process\nagents:\n  a: &a\n    scripts:\n${scripts}${many(30, (index) => `  b${index}: *a\n`)}`;
    const result = parseTemplateDefinition(text, options);
    expect(result).toMatchObject({
      problems: [
        { message: expect.stringContaining(`${maxReadCharacters} characters, aliases counted`) },
      ],
    });
  });
});
