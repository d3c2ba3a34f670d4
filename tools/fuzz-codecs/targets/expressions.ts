import {
  durationText,
  parseDuration,
} from "../../../packages/server/src/template-format/duration.ts";
import { hasMatch, regexProblem } from "../../../packages/server/src/template-format/regex.ts";
import { suggest } from "../../../packages/server/src/template-format/suggest.ts";
import { parseTemplateText } from "../../../packages/server/src/template-format/template-text.ts";
import { expectSame, expectThat } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

/** Texts with `${{ … }}`, regular expressions and durations of a template. */
export const expressionsTarget: FuzzTarget = {
  name: "expressions",
  maxBytes: 8 * 1024,
  // A match that takes longer than 50 ms is given up.
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
    const { parts, problems } = parseTemplateText(text, (name) => name === "size", ["size"]);
    for (const { index, message } of problems) {
      expectSame("where a problem is", text.slice(index, index + 3), "${{");
      expectThat(message.length < 1_000, "a message is bounded");
    }
    const literals = parts.map((part) => (part.kind === "literal" ? part.text.length : 0));
    expectThat(
      literals.reduce((sum, one) => sum + one, 0) <= text.length,
      "literals are of the text",
    );
    if (regexProblem(text) === undefined) hasMatch(text, `${text}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`);
    const seconds = parseDuration(text);
    if (seconds !== undefined && Number.isSafeInteger(seconds))
      expectSame("a duration", parseDuration(durationText(seconds)), seconds);
    suggest(text, ["parameters", "owner", text.slice(0, 20)]);
  },
};
