import { DynamicParametersResponse } from "@slipway/api/templates/dynamic-parameters";
import { parseTemplateDefinition } from "@slipway/template";
import { describe, expect, it } from "vitest";

import { createValidator } from "../../platform/fields/validation.ts";
import { evaluateDefinition } from "./evaluate.ts";

const parsed = parseTemplateDefinition(
  `
driver: process
parameters:
  greeting:
    type: string
    default: hello
    mutable: true
    validation: { regex: "^[a-z]+$", error: lower-case letters }
  size:
    type: string
    default: small
    options: [{ name: Small, value: small }, { name: Large, value: large }]
  cores: { type: number, validation: { min: 1, max: 8 } }
agents: { main: { os: linux, arch: amd64 } }
`,
  { drivers: ["process"] },
);
if (!("definition" in parsed)) throw new Error(JSON.stringify(parsed.problems));
const { definition } = parsed;

describe("evaluateDefinition", () => {
  it("gives the appearance of a form element, as a configuration declares it", () => {
    const styling = { placeholder: "a word", mask_input: true };
    const [greeting, ...others] = definition.parameters;
    if (greeting === undefined) throw new Error("the template has no parameter");
    const styled = { parameters: [{ ...greeting, styling }, ...others] };
    const { parameters } = evaluateDefinition(styled, { id: 1, inputs: {} });
    expect(parameters.map((one) => one.styling)).toEqual([styling, {}, {}]);
  });

  it("gives defaults, and says what is needed", () => {
    const answer = evaluateDefinition(definition, { id: 7, inputs: {} });
    const check = createValidator().compile(DynamicParametersResponse);
    check(answer);
    expect(check.errors ?? []).toEqual([]);
    expect(answer).toMatchObject({
      id: 7,
      diagnostics: [],
      parameters: [
        {
          name: "greeting",
          required: false,
          order: 0,
          value: { value: "hello", valid: true },
          default_value: { value: "hello", valid: true },
          validations: [{ validation_regex: "^[a-z]+$", validation_min: null }],
          diagnostics: [],
        },
        {
          name: "size",
          options: [{ value: { value: "small", valid: true } }, {}],
          validations: [],
        },
        {
          name: "cores",
          required: true,
          value: { value: "", valid: false },
          diagnostics: [{ severity: "error", extra: { code: "required" } }],
        },
      ],
    });
  });

  it.each([
    ["greeting", "HI", "lower-case letters"],
    ["size", "huge", 'wanted one of "small", "large"'],
    ["cores", "many", "wanted a number"],
    ["cores", "9", "wanted at most 8"],
  ])("says why %s may not be %s", (name, value, detail) => {
    const answer = evaluateDefinition(definition, { id: 0, inputs: { [name]: value } });
    const found = answer.parameters.find((parameter) => parameter.name === name);
    expect(found).toMatchObject({
      value: { value, valid: true },
      diagnostics: [{ severity: "error", detail: expect.stringContaining(detail) }],
    });
  });

  it("warns of names that the template does not have, also of those that every object has", () => {
    const answer = evaluateDefinition(definition, { id: 0, inputs: { constructor: "x" } });
    expect(answer.diagnostics).toMatchObject([
      { severity: "warning", detail: expect.stringContaining("constructor") },
    ]);
  });

  it("ends soon, whatever the regular expressions of a template are", () => {
    const slow = ["^(a+)+$", "^(a|a)*$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"];
    const lines = Array.from({ length: 100 }, (_, index) => {
      const regex = JSON.stringify(slow[index % slow.length]);
      return `  p${index}: { validation: { regex: ${regex} } }`;
    });
    const text = `driver: process\nparameters:\n${lines.join("\n")}\nagents: { main: {} }\n`;
    const template = parseTemplateDefinition(text, { drivers: ["process"] });
    if (!("definition" in template)) throw new Error(JSON.stringify(template.problems));
    const of = (value: string) => {
      const inputs = Object.fromEntries(lines.map((_, index) => [`p${index}`, value]));
      const { parameters } = evaluateDefinition(template.definition, { id: 1, inputs });
      return parameters.flatMap(({ diagnostics }) => diagnostics.map(({ detail }) => detail));
    };
    // All are evaluated, and none matches.
    const answers = of(`${"a".repeat(60)}!`);
    expect(answers).toHaveLength(100);
    expect(answers.filter((detail) => !detail.includes("wanted a value that matches"))).toEqual([]);
    // Longer ones are matched only as far as a request's steps allow.
    const long = of(`${"a".repeat(5_000)}!`);
    expect(long).toHaveLength(100);
    const refused = long.filter((detail) => detail.startsWith("cannot be checked: all values"));
    expect(refused.length).toBeGreaterThan(90);
  });
});
