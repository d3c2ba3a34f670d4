import { expect, it } from "vitest";

import { affordable, inlinesOf, parseMarkdown } from "./markdown-tokens.ts";

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

it("can afford many usual texts, and of costly ones as much as one alone may cost", () => {
  const usual = Array.from(
    { length: 500 },
    (_, index) => `*Text* ${index} ${"of words ".repeat(40)}`,
  );
  expect(affordable(usual).size).toBe(500);
  const costly = Array.from({ length: 100 }, (_, index) => `${index} ${"*a ".repeat(900)}`);
  const nested = Array.from({ length: 100 }, (_, index) => `${index} ${">".repeat(16_000)}`);
  expect([...affordable([...costly, ...nested, "*b*"])]).toEqual([...costly.slice(0, 4), "*b*"]);
  expect([...affordable(nested)]).toEqual(nested.slice(0, 1));
});
