import { expect, it } from "vitest";

import { inlinesOf, parseMarkdown } from "./markdown-tokens.ts";

it.each([
  ["is too long", "a ".repeat(10_000)],
  ["has too many delimiters of emphasis", "_a*".repeat(501)],
  ["is nested deeper than the parser can go", "> ".repeat(8_000)],
  ["is nested deeper than a page should be", `${"> ".repeat(40)}a`],
])("leaves a text as it stands that %s", (_, text) => {
  expect(parseMarkdown(text)).toEqual([{ type: "code", raw: text, text }]);
});

it("splits a text with a few hundred delimiters of emphasis", () => {
  expect(parseMarkdown("*a* ".repeat(500)).map(({ type }) => type)).toEqual(["paragraph"]);
});

it("puts blocks into one line", () => {
  const line = parseMarkdown("# a\n\n- *b*\n- c").flatMap(inlinesOf);
  expect(line.map(({ raw }) => raw).filter((raw) => raw.trim() !== "")).toEqual(["a", "*b*", "c"]);
});
