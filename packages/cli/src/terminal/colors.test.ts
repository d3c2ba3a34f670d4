import { expect, it } from "vitest";

import { colorsFor } from "./colors.ts";

it.each([
  ["a terminal", true, {}, true],
  ["a pipe", false, {}, false],
  ["a dumb terminal", true, { TERM: "dumb" }, false],
  ["a terminal with NO_COLOR", true, { NO_COLOR: "1" }, false],
  ["a terminal with an empty NO_COLOR", true, { NO_COLOR: "" }, true],
  ["a pipe with FORCE_COLOR", false, { FORCE_COLOR: "1" }, true],
  ["a pipe with both", false, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
])("enables or disables colors on %s", (_name, isTerminal, variables, isColored) => {
  expect(colorsFor(isTerminal, variables).red("x") !== "x").toBe(isColored);
});
