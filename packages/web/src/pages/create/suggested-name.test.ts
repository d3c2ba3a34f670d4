import { nameProblem } from "@slipway/api/contract/name";
import { expect, it } from "vitest";

import { suggestedName } from "./suggested-name.ts";

it("suggests valid names, whatever the chance", () => {
  for (let at = 0; at < 64; at += 1) {
    expect(nameProblem(suggestedName((below) => at % below))).toBeUndefined();
  }
});
