import { expect, it } from "vitest";

import { withoutRefused } from "./read-form-parameters.ts";

const sources = [
  { address: "data.coder_parameter.size", name: "size", mayBeEphemeral: false },
  { address: "module.ide.data.coder_parameter.theme", name: "theme", mayBeEphemeral: false },
  { address: "data.coder_parameter.each", name: undefined, mayBeEphemeral: false },
];
const values = { size: "9", theme: "dark", one: "1", other: "2" };

it("leaves out the values of parameters that refuse them, in modules and instances too", () => {
  const without = (...addresses: readonly string[]) =>
    Object.keys(withoutRefused(values, sources, addresses));
  expect(without("data.coder_parameter.size")).toEqual(["theme", "one", "other"]);
  expect(without('module.ide["a.b"].data.coder_parameter.theme[0]')).toEqual([
    "size",
    "one",
    "other",
  ]);
  // Each of the others may be one of its instances.
  expect(without('data.coder_parameter.each["x"]')).toEqual(["size", "theme"]);
  expect(without("data.coder_workspace.me", "")).toEqual(Object.keys(values));
});
