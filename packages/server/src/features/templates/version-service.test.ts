import { expect, it } from "vitest";

import { matchingPreset } from "./version-service.ts";

const preset = (name: string, values: Readonly<Record<string, string>>) => ({
  name,
  preset: { parameters: Object.entries(values).map(([key, value]) => ({ name: key, value })) },
});
const given = [
  { name: "size", value: "large" },
  { name: "greeting", value: "hi" },
];

it("takes the preset of which most is given", () => {
  const presets = [
    preset("none", {}),
    preset("large", { size: "large" }),
    preset("both", { size: "large", greeting: "hi" }),
    preset("also", { greeting: "hi", size: "large" }),
  ];
  expect(matchingPreset(presets, given)?.name).toBe("both");
  expect(matchingPreset(presets, given.slice(0, 1))?.name).toBe("large");
  expect(matchingPreset(presets, [])?.name).toBe("none");
});

it("takes none that says something else", () => {
  const presets = [
    preset("small", { size: "small" }),
    preset("more", { size: "large", cores: "2" }),
  ];
  expect(matchingPreset(presets, given)).toBeUndefined();
});
