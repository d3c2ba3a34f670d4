import { nameProblem } from "@slipway/api/contract/name";
import { expect, it } from "vitest";

import { generateName } from "./workspace-name.ts";

it.each([0, 0.5, 0.999_999])("generates names that a server accepts (%d)", (random) => {
  expect(nameProblem(generateName(() => random))).toBeUndefined();
});
