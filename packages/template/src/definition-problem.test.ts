import { expect, it } from "vitest";

import { definitionProblem } from "./definition-problem.ts";
import type { TemplateDefinition } from "./definition.ts";

const parameter = {
  name: "size",
  displayName: "",
  description: "",
  icon: "",
  type: "string",
  formType: "input",
  default: "",
  isMutable: true,
  isEphemeral: false,
  options: [],
  validation: undefined,
} as const;

const definition: TemplateDefinition = {
  driver: "terraform",
  displayName: "",
  description: "",
  icon: "",
  parameters: [parameter],
  presets: [],
  onClaim: undefined,
  externalAuth: undefined,
  agents: [],
};

it("accepts a definition within the limits", () => {
  expect(definitionProblem(definition)).toBeUndefined();
});

const rules = { error: "", min: undefined, max: undefined, monotonic: undefined };
it.each([
  [
    "too many parameters",
    {
      parameters: Array.from({ length: 101 }, (_, index) => ({ ...parameter, name: `p${index}` })),
    },
    "found 101 parameters, wanted at most 100",
  ],
  ["a repeated name", { parameters: [parameter, parameter] }, 'found a second parameter "size"'],
  [
    "an expression of another syntax",
    { parameters: [{ ...parameter, validation: { ...rules, regex: "(?=x)" } }] },
    "parameter size: ",
  ],
  ["a NUL", { description: "a\0b" }, "found a NUL"],
  ["half of a character", { parameters: [{ ...parameter, icon: "a\ud83d" }] }, "half a surrogate"],
  ["too much text", { description: "x".repeat(3_000_000) }, "wanted at most 2097152"],
])("refuses %s", (_case, fields, message) => {
  expect(definitionProblem({ ...definition, ...fields })).toContain(message);
});

it("takes a text that only looks like an escaped NUL", () => {
  const text = { ...definition, description: String.raw`printf '\u0000'; echo \ud83d` };
  expect(definitionProblem(text)).toBeUndefined();
});
