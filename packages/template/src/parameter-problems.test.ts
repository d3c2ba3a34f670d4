import { describe, it } from "vitest";

import { agent, expectProblem, head, inParameter } from "../tests/support/template-texts.ts";

describe("problems of parameters", () => {
  it.each([
    [
      "a bad name",
      `${head}${agent}parameters: { «1a: {} }`,
      "parameters.1a",
      "beginning with a letter",
    ],
    [
      "an unknown type",
      inParameter("type: «text"),
      "parameters.p.type",
      "wanted one of string, number, bool, list(string)",
    ],
    [
      "a default of another type",
      inParameter("type: number\ndefault: «x"),
      "parameters.p.default",
      "wanted a number",
    ],
    [
      "a default that is no truth value",
      inParameter("type: bool\ndefault: «yes"),
      "parameters.p.default",
      "wanted true or false",
    ],
    [
      "a default that is no list",
      inParameter("type: list(string)\ndefault: «a"),
      "parameters.p.default",
      "JSON array",
    ],
    [
      "a default that is no option",
      inParameter("default: «c\noptions: [{ name: A, value: a }]"),
      "parameters.p.default",
      'found "c", wanted one of "a"',
    ],
    [
      "a default that breaks the rule",
      inParameter("default: «x\nvalidation: { regex: ^a }"),
      "parameters.p.default",
      "matches ^a",
    ],
    [
      "a default below the least",
      inParameter("type: number\ndefault: «1\nvalidation: { min: 2 }"),
      "parameters.p.default",
      "at least 2",
    ],
    [
      "an expression that does not compile",
      inParameter("validation: { regex: «'(' }"),
      "parameters.p.validation.regex",
      "does not compile",
    ],
    [
      "an expression that compiles to too much",
      inParameter("validation: { regex: «'(x{0,1000}){0,1000}' }"),
      "parameters.p.validation.regex",
      "wanted at most 1000",
    ],
    [
      "an expression that clients do not know",
      inParameter("validation: { regex: «'(?=a)' }"),
      "parameters.p.validation.regex",
      "no look-around",
    ],
    [
      "an expression for a number",
      inParameter("type: number\nvalidation: { «regex: a }"),
      "parameters.p.validation.regex",
      "which only a string can have",
    ],
    [
      "a limit for a text",
      inParameter("validation: { «min: 1 }"),
      "parameters.p.validation.min",
      "which only a number can have",
    ],
    [
      "limits the wrong way round",
      inParameter("type: number\nvalidation: { min: «3, max: 2 }"),
      "parameters.p.validation.min",
      "wanted at most `max`",
    ],
    [
      "an option of another type",
      inParameter("type: number\noptions: [{ name: A, value: «a }]"),
      "parameters.p.options[0].value",
      "wanted a number",
    ],
    [
      "an option twice",
      inParameter("options: [{ name: A, value: a }, { name: B, value: «a }]"),
      "parameters.p.options[1].value",
      'duplicate value "a"',
    ],
    [
      "an option without a value",
      inParameter("options: [«{ name: A }]"),
      "parameters.p.options[0]",
      "missing key `value`",
    ],
    [
      "a form that does not fit",
      inParameter("form_type: «slider"),
      "parameters.p.form_type",
      "wanted one of input, textarea",
    ],
    [
      "an ephemeral one without a default",
      `${head}${agent}parameters:\n  «p: { ephemeral: true }`,
      "parameters.p",
      "needs a `default`",
    ],
    [
      "an ephemeral one that is fixed",
      inParameter("default: a\nephemeral: true\nmutable: «false"),
      "parameters.p.mutable",
      "wanted true",
    ],
  ])("says where %s is", (_, text, path, message) => {
    expectProblem(text, path, message);
  });
});
