import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import { expect, it } from "vitest";

import { presetValues, valuesToSend } from "./form-values.ts";

function parameter(name: string, value: string | undefined): EvaluatedParameter {
  const absent = { value: "", valid: false };
  return {
    name,
    display_name: "",
    description: "",
    type: "string",
    form_type: "input",
    styling: {},
    mutable: true,
    default_value: absent,
    icon: "",
    options: [],
    validations: [],
    required: false,
    order: 0,
    ephemeral: false,
    value: value === undefined ? absent : { value, valid: true },
    diagnostics: [],
  };
}

it("sends what was entered, then what was evaluated, and nothing for what has no value", () => {
  const parameters = [
    parameter("size", "small"),
    parameter("zone", "eu"),
    parameter("key", undefined),
  ];
  expect(valuesToSend(parameters, { size: "large", other: "x" })).toEqual([
    { name: "size", value: "large" },
    { name: "zone", value: "eu" },
  ]);
  expect(valuesToSend(parameters, { key: "" })).toContainEqual({ name: "key", value: "" });
});

it("reads the values of presets", () => {
  const preset = {
    ID: "1",
    Name: "fast",
    Parameters: [{ Name: "size", Value: "large" }],
    Default: false,
    DesiredPrebuildInstances: null,
    Description: "",
    Icon: "",
  };
  expect(presetValues(preset)).toEqual({ size: "large" });
  expect(presetValues(undefined)).toEqual({});
});
