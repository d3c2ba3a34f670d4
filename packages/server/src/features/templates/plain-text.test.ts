import { expect, it } from "vitest";

import { plainText } from "./plain-text.ts";

it.each([
  ["The **directory** to work in.", "The directory to work in."],
  ["*one* and _two_ and ***three*** and __four__", "one and two and three and four"],
  ["# Region\n\n> near you", "Region\n\nnear you"],
  ["See [the guide](https://example.com/a_b_c).", "See the guide https://example.com/a_b_c."],
  ["![logo](/icon.svg)", "logo /icon.svg"],
  ["Run `make **all**`, ~~not~~ now", "Run make **all**, not now"],
  ["snake_case_name stays, and 2 * 3 * 4, and #5", "snake_case_name stays, and 2 * 3 * 4, and #5"],
  ["**never closed", "**never closed"],
  ["  plain  ", "plain"],
  ["", ""],
])("reads %j as %j", (markdown, text) => {
  expect(plainText(markdown)).toBe(text);
});

it("takes time in proportion to the length of what is never closed", () => {
  const started = performance.now();
  for (const mark of ["*a", "_a ", "[a", "~~a", "`", "**"]) plainText(mark.repeat(8_000));
  expect(performance.now() - started).toBeLessThan(10_000);
});
