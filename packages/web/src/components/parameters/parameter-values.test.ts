import type { TemplateVersionParameter } from "@slipway/api/templates/template-version";
import { expect, it } from "vitest";

import { changedValues, initialValues, missingParameters } from "./parameter-values.ts";

function parameter(
  name: string,
  changes: Partial<TemplateVersionParameter> = {},
): TemplateVersionParameter {
  return {
    name,
    description: "",
    description_plaintext: "",
    type: "string",
    form_type: "input",
    mutable: true,
    default_value: "",
    icon: "",
    options: [],
    required: false,
    ephemeral: false,
    ...changes,
  };
}

const option = (value: string) => ({ name: value, description: "", value, icon: "" });
const last = [
  { name: "region", value: "old" },
  { name: "once", value: "yes" },
];

it("begins with the last values and the defaults, but never with those of one build only", () => {
  const parameters = [
    parameter("region"),
    parameter("size", { default_value: "small" }),
    parameter("once", { ephemeral: true, default_value: "no" }),
  ];
  expect(initialValues(parameters, last)).toEqual({ region: "old", size: "small", once: "no" });
});

it("misses required values and those that are no longer an option", () => {
  const parameters = [
    parameter("region", { options: [option("new")] }),
    parameter("token", { required: true }),
    parameter("size"),
    parameter("once", { required: true, ephemeral: true }),
  ];
  expect(missingParameters(parameters, last).map(({ name }) => name)).toEqual(["region", "token"]);
});

it("sends only what was changed", () => {
  expect(changedValues({ a: "1", b: "2" }, { a: "1", b: "x" })).toEqual([
    { name: "b", value: "2" },
  ]);
});
