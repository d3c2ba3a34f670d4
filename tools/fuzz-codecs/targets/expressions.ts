import { durationText } from "@slipway/runtime";
import { RegexMatcher, suggest } from "@slipway/template";
import {
  maxRegexSize,
  parseDuration,
  parseTemplateText,
  regexProblem,
  regexSize,
} from "@slipway/template/testing";

import { expectSame, expectThat } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

/** Texts with `${{ … }}`, regular expressions and durations of a template. */
export const expressionsTarget: FuzzTarget = {
  name: "expressions",
  maxBytes: 8 * 1024,
  // Covers compiling the largest expression and matching the largest text of one request.
  maxMs: 150,
  words: [
    "${{",
    "}}",
    "$$",
    "parameters.",
    "owner.name",
    "(a+)+",
    "[^",
    "\\p{L}",
    "{1,9}",
    "{0,400}",
    "[[:alpha:]]",
    "\\Q",
    "(?i)",
    "1h",
    "30m",
  ],
  seeds: () =>
    [
      "a ${{ parameters.size }} b",
      "$${{ x }} $$${{ owner.id }}",
      "1d2h3m4s",
      "^(a|b)+[0-9]{2,}$",
    ].map(utf8),
  check: (input) => {
    const text = textOf(input);
    const { parts, problems } = parseTemplateText(text, new Set(["size"]));
    for (const { index, message } of problems) {
      expectSame("where a problem is", text.slice(index, index + 3), "${{");
      expectThat(message.length < 1_000, "a message is bounded");
    }
    const literals = parts.map((part) => (part.kind === "literal" ? part.text.length : 0));
    expectThat(
      literals.reduce((sum, one) => sum + one, 0) <= text.length,
      "literals are of the text",
    );
    const source = text.slice(0, 600);
    const isUsable = regexProblem(source) === undefined;
    expectThat(regexSize(source) <= maxRegexSize, "the size is bounded");
    const matcher = new RegexMatcher();
    for (const value of [text, `${text}a`.repeat(10), "ab".repeat(4_000), "é ".repeat(100)]) {
      const result = matcher.match(source, value);
      expectThat(isUsable || typeof result === "object", "only what is usable matches");
    }
    const seconds = parseDuration(text);
    if (seconds !== undefined && Number.isSafeInteger(seconds * 1_000))
      expectSame("a duration", parseDuration(durationText(seconds * 1_000)), seconds);
    suggest(text, ["parameters", "owner", text.slice(0, 20)]);
  },
};
