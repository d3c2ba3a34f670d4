import { expect, it } from "vitest";

import { evaluatedParameter, maybeValue } from "../../../tests/support/evaluated-parameter.ts";
import { presetValues, valuesToSend } from "./form-values.ts";

it("sends what was entered, then what was evaluated, and nothing for what has no value", () => {
  const parameters = [
    evaluatedParameter("size", { value: maybeValue("small") }),
    evaluatedParameter("zone", { value: maybeValue("eu") }),
    evaluatedParameter("key"),
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
