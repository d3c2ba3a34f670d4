import { expect, it } from "vitest";

import { prefilledValues, readPrefill } from "./prefill.ts";

it("reads the fields of a form, and nothing else", () => {
  const prefill = readPrefill({
    name: "dev",
    "param.size": 3,
    "param.fast": true,
    mode: "auto",
    preset: {},
  });
  expect(prefill).toEqual({ name: "dev", "param.size": "3", "param.fast": "true" });
  expect(prefilledValues(prefill)).toEqual({ size: "3", fast: "true" });
});
