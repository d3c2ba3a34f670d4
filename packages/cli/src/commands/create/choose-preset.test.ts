import { expect, it } from "vitest";

import { contradicts, findPreset } from "./choose-preset.ts";

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

it.each([
  ["QUICK", "quick"],
  ["Quick start", "quick"],
  ["slow", "slow"],
  ["Twice", undefined],
  ["other", undefined],
])("finds by %j the preset %s, by its name or by the one that people see", (text, found) => {
  const presets = [
    { ...preset, DisplayName: "Quick start" },
    { ...preset, Name: "a", DisplayName: "slow" },
    { ...preset, Name: "slow", DisplayName: "Twice" },
    { ...preset, Name: "b", DisplayName: "twice" },
  ];
  expect(findPreset(presets, text)?.Name).toBe(found);
});
