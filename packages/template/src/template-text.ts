import { truncate } from "./quote.ts";
import { didYouMean } from "./suggest.ts";

/** The names that an expression may use besides `parameters.<name>`. */
export const expressionNames = [
  "owner.id",
  "owner.username",
  "owner.name",
  "owner.email",
  "workspace.id",
  "workspace.name",
  "workspace.port",
  "template.name",
  "template.version",
  "agent.name",
] as const;
export type ExpressionName = (typeof expressionNames)[number];

/** A piece of a text: literal, or an expression that a build replaces. */
export type TextPart = { readonly kind: "literal"; readonly text: string } | ExpressionPart;

/** An expression in a text; `index` is that of its `${{`, in UTF-16 units. */
export type ExpressionPart = Expression & { readonly index: number };

type Expression =
  | { readonly kind: "name"; readonly name: ExpressionName }
  | { readonly kind: "parameter"; readonly name: string };

/** A problem in a text; `index` is as in `ExpressionPart`. */
export interface TextProblem {
  readonly index: number;
  readonly message: string;
}

/** The start of an expression, at which problems point. */
export const expressionMark = "${{";

/**
 * Splits a text at its `${{ … }}`. Before `{{`, each `$$` stands for one `$`; a remaining `$` opens an expression. So
 * `$${{ x }}` reads as `${{ x }}`, and `$$${{ owner.id }}` as a `$` before the id.
 */
export function parseTemplateText(
  text: string,
  parameterNames: ReadonlySet<string>,
): { readonly parts: readonly TextPart[]; readonly problems: readonly TextProblem[] } {
  const parts: TextPart[] = [];
  const problems: TextProblem[] = [];
  let at = 0;
  for (const { start, dollars } of openings(text)) {
    // An opening inside an expression belongs to it and is refused with it.
    if (start < at) continue;
    if (problems.length >= maxProblemsOfText) break;
    parts.push({
      kind: "literal",
      text: text.slice(at, start) + "$".repeat(Math.floor(dollars / 2)),
    });
    at = start + dollars;
    if (dollars % 2 === 0) continue;
    const index = at - 1;
    const end = text.indexOf("}}", at);
    if (end === -1) {
      problems.push({
        index,
        message: "found `${{` without `}}`; write `$${{` for a literal `${{`",
      });
      break;
    }
    const found = parseExpression(text.slice(at + 2, end).trim(), parameterNames);
    if (typeof found === "string") problems.push({ index, message: found });
    else parts.push({ ...found, index });
    at = end + 2;
  }
  parts.push({ kind: "literal", text: text.slice(at) });
  return { parts, problems };
}

/** Reports whether a text contains `${{` in any form, escaped or not. */
export function hasExpression(text: string): boolean {
  return text.includes("${{");
}

const maxProblemsOfText = 20;

/**
 * Matches each `{{` with the `$` before it. The search starts at the braces: a pattern that starts at a `$` would try
 * each of many.
 */
function* openings(text: string): Generator<{ readonly start: number; readonly dollars: number }> {
  for (let braces = text.indexOf("{{"); braces !== -1; braces = text.indexOf("{{", braces + 1)) {
    let start = braces;
    while (text.charAt(start - 1) === "$") start -= 1;
    if (start < braces) yield { start, dollars: braces - start };
  }
}

function parseExpression(
  expression: string,
  parameterNames: ReadonlySet<string>,
): Expression | string {
  const shown = `\`\${{ ${truncate(expression)} }}\``;
  const parameter = /^parameters\.([A-Za-z0-9_-]+)$/.exec(expression)?.[1];
  if (parameter !== undefined) {
    if (parameterNames.has(parameter)) return { kind: "parameter", name: parameter };
    return `unknown parameter in ${shown}${didYouMean(parameter, [...parameterNames])}`;
  }
  const name = expressionNames.find((known) => known === expression);
  if (name !== undefined) return { kind: "name", name };
  const known = ["parameters.<name>", ...expressionNames].join(", ");
  return `unknown expression ${shown}${didYouMean(expression, expressionNames)} (known: ${known})`;
}
