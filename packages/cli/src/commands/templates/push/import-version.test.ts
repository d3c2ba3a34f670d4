import { expect, it } from "vitest";

import { withPath } from "./import-version.ts";

it("replaces the file of a problem by its path", () => {
  const text = "slipway.yaml:12:5: unknown key\n  slipway.yaml:1:1: x\nsee slipway.yaml: y";
  expect(withPath(text, "box/slipway.yaml")).toBe(
    "box/slipway.yaml:12:5: unknown key\n  box/slipway.yaml:1:1: x\nsee slipway.yaml: y",
  );
});
