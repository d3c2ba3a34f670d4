import { expect, it } from "vitest";

import {
  evaluatedParameter as parameter,
  maybeValue,
} from "../../../tests/support/evaluated-parameter.ts";
import { changedValues, initialValues, missingParameters } from "./parameter-values.ts";

const option = (value: string) => ({
  name: value,
  description: "",
  value: maybeValue(value),
  icon: "",
});
const last = [
  { name: "region", value: "old" },
  { name: "once", value: "yes" },
];

it("begins with the last values and the defaults, but never with those of one build only", () => {
  const parameters = [
    parameter("region"),
    parameter("size", { default_value: maybeValue("small") }),
    parameter("once", { ephemeral: true, default_value: maybeValue("no") }),
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
