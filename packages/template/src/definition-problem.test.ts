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

const tag = { name: "zone", value: "eu" };
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
  [
    "too many tags",
    { tags: Array.from({ length: 33 }, (_, index) => ({ name: `t${index}`, value: "" })) },
    "found 33 tags, wanted at most 32",
  ],
  ["a tag without a name", { tags: [{ name: "", value: "x" }] }, "found a tag without a name"],
  ["a repeated tag", { tags: [tag, tag] }, 'found a second tag "zone"'],
  ["a tag for one user", { tags: [{ name: "scope", value: "user" }] }, 'found the tag "scope"'],
  ["a tag's long name", { tags: [{ name: "x".repeat(129), value: "" }] }, "wanted at most 128"],
  ["a tag's long value", { tags: [{ ...tag, value: "x".repeat(257) }] }, "a value of 257, wanted"],
  [
    "a tag of an unknown parameter",
    { tags: [{ ...tag, parameter: "other" }] },
    'the tag "zone": found no parameter "other"',
  ],
  ["a NUL in a tag", { tags: [{ ...tag, value: "a\0" }] }, "found a NUL"],
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
