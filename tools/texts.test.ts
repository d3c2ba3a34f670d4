import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/* Rules for texts that people read, each stated by one function: the tests search the sources for exceptions. */

/** Nouns that texts count. */
const nouns =
  "arguments|builds|bytes|characters|connections|days|entries|errors|fields|files|hours|lines|messages|minutes|options|ports|prebuilds|problems|seconds|sessions|slashes|templates|tokens|users|versions|workspaces";

/** A number that may be 1 before a plural. Constant limits exceed 1. */
const countedPlural = new RegExp(
  String.raw`\$\{(?!(?:[\w#]+\.)*(?:max|min)[A-Z])[^{}]*\} (?:${nouns})\b`,
);

/** A placeholder for a word rather than a number. */
const words = /\$\{(?:verb|kind|name|what|who|done|tried|resource|noun)\b/;

const root = fileURLToPath(new URL("..", import.meta.url));

/** Returns the lines of files without tests, each after its place: `packages/cli/src/main.ts:7: …`. */
function linesIn(
  patterns: readonly string[],
  isRead: (line: string) => boolean = () => true,
): readonly string[] {
  return globSync(patterns, { cwd: root })
    .filter((path) => !path.endsWith(".test.ts"))
    .flatMap((path) =>
      readFileSync(`${root}/${path}`, "utf8")
        .split("\n")
        .flatMap((line, index) => (isRead(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
}

const lines = linesIn(["packages/{cli,server}/src/**/*.ts"]);

it("counts through countText, so that 1 is no plural", () => {
  expect(countedPlural.test("${count} versions")).toBe(true);
  expect(countedPlural.test("more than ${maxFiles} files")).toBe(false);
  expect(countedPlural.test("at most ${this.#rules.maxBytes} bytes")).toBe(false);
  expect(lines.filter((line) => countedPlural.test(line) && !words.test(line))).toEqual([]);
});

it("says how to write a duration through durationError", () => {
  const others = lines.filter((line) => /wanted .*duration|not a duration/.test(line));
  expect(others.filter((line) => !/durationError\(|is no time at all/.test(line))).toEqual([]);
});

it("names what is not found through notFoundError", () => {
  const others =
    /[`"]there is no (template|token|user|workspace|job|version|region)\b|does not exist or is/;
  expect(lines.filter((line) => line.startsWith("packages/cli/") && others.test(line))).toEqual([
    expect.stringContaining("packages/cli/src/command/not-found.ts:"),
  ]);
});

/** Words and phrases of a translation; docs/style.md, "Language", says what to write. */
const translated =
  /\bTakes that\b|\banew\b|\bso that the one before\b|\bnobody\b|\bnow and then\b|\bof (?:its|their) own\b/;
const comment = /^\s*(?:\/?\*|\/\/)/;
/** Types that are named by a participle, which could be anything. */
const participle =
  /^(?:export )?(?:interface|type|class) (?:Asked|Found|Held|Kept|Left|Looker|Made|Seen|Shown|Taken|Told|Wanted)\b/;

/** A doc comment that is a clause; a noun or a verb comes first. */
const clause = /^\s*\/\*\* (?:What|Who|Whether|How|When|Where|Why|That|Which)\b/;

const sources = ["packages/*/src/**/*.{ts,tsx}", "bench/**/*.ts", "tools/**/*.ts"];

it("writes comments in plain English", () => {
  expect(linesIn(sources, (line) => comment.test(line) && translated.test(line))).toEqual([]);
});

it("writes guides in plain English", () => {
  const guides = ["docs/*.md", "docs/decisions/*.md", "packages/*/README.md", "*.md"];
  const found = linesIn(guides, (line) => translated.test(line));
  // The style guide quotes what not to write; the changelog is written once.
  expect(found.filter((line) => !/^(?:docs\/style|CHANGELOG)\.md/.test(line))).toEqual([]);
});

it("begins doc comments with a noun or a verb", () => {
  const found = linesIn(sources, (line) => clause.test(line));
  // A merged migration is never edited, and the dependencies of a tool are not ours.
  expect(found.filter((line) => !/\/migrations\/|\/node_modules\//.test(line))).toEqual([]);
});

it("names types by nouns of the domain", () => {
  expect(linesIn(sources, (line) => participle.test(line))).toEqual([]);
});
