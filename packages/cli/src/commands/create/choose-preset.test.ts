import { expect, it } from "vitest";

import { contradicts } from "./choose-preset.ts";

const preset = {
  ID: "11111111-1111-4111-8111-111111111111",
  Name: "quick",
  Parameters: [{ Name: "size", Value: "small" }],
  Default: true,
  DesiredPrebuildInstances: null,
  Description: "",
  Icon: "",
};

it.each([
  [[], false],
  [[{ name: "size", value: "small" }], false],
  [[{ name: "color", value: "red" }], false],
  [[{ name: "size", value: "large" }], true],
])("finds whether %j contradicts a preset", (given, expected) => {
  expect(contradicts(preset, given)).toBe(expected);
});
