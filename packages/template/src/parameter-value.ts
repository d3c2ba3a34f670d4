import type { ParameterDefinition } from "./definition.ts";
import { maxValueLength } from "./limits.ts";
import { quote } from "./quote.ts";
import type { RegexMatcher } from "./regex.ts";

type Rules = Pick<ParameterDefinition, "type" | "formType" | "options" | "validation">;

/**
 * Explains why a value does not fit its parameter; undefined if it does. `matcher` is that of the whole request;
 * `previous` is the value with which a monotonic number is compared.
 */
export function valueProblem(
  parameter: Rules,
  value: string,
  matcher: RegexMatcher,
  previous?: string,
): string | undefined {
  const problem =
    storageProblem(value, maxValueLength) ??
    typeProblem(parameter, value) ??
    optionProblem(parameter, value);
  if (problem !== undefined) return problem;
  const { regex } = parameter.validation ?? {};
  const matched = regex === undefined ? "match" : matcher.match(regex, value);
  if (typeof matched === "object") return matched.problem;
  const broken =
    matched === "no-match"
      ? `found ${quote(value)}, wanted a value that matches ${regex}`
      : ruleProblem(parameter, value, previous);
  if (broken === undefined) return undefined;
  const own = parameter.validation?.error ?? "";
  return own === "" ? broken : `${own} (${broken})`;
}

/** Returns the texts of a `list(string)` value, which is a JSON array; undefined if it is not one. */
function parseListValue(value: string): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    if (!Array.isArray(parsed)) return undefined;
    const texts = parsed.filter((item) => typeof item === "string");
    return texts.length === parsed.length ? texts : undefined;
  } catch {
    return undefined; // not JSON
  }
}

function typeProblem({ type }: Rules, value: string): string | undefined {
  switch (type) {
    case "string":
      return undefined;
    case "number":
      return /^-?\d+(\.\d+)?$/.test(value) && Number.isFinite(Number(value))
        ? undefined
        : `found ${quote(value)}, wanted a number`;
    case "bool":
      return value === "true" || value === "false"
        ? undefined
        : `found ${quote(value)}, wanted true or false`;
    case "list(string)":
      return parseListValue(value) === undefined
        ? `found ${quote(value)}, wanted a JSON array of strings`
        : undefined;
  }
}

function optionProblem(parameter: Rules, value: string): string | undefined {
  if (parameter.options.length === 0) return undefined;
  const known = new Set(parameter.options.map((option) => option.value));
  const chosen = parameter.formType === "multi-select" ? (parseListValue(value) ?? []) : [value];
  const stranger = chosen.find((one) => !known.has(one));
  if (stranger === undefined) return undefined;
  const some = [...known].slice(0, 12).map(quote).join(", ");
  return `found ${quote(stranger)}, wanted one of ${some}${known.size > 12 ? ", …" : ""}`;
}

function ruleProblem(
  { validation }: Rules,
  value: string,
  previous: string | undefined,
): string | undefined {
  if (validation === undefined) return undefined;
  const { min, max, monotonic } = validation;
  const number = Number(value);
  if (min !== undefined && number < min) return `found ${value}, wanted at least ${min}`;
  if (max !== undefined && number > max) return `found ${value}, wanted at most ${max}`;
  const before = Number(previous);
  if (previous === undefined || Number.isNaN(before)) return undefined;
  if (monotonic === "increasing" && number < before)
    return `found ${value}, wanted at least the current ${previous}: the value may only increase`;
  if (monotonic === "decreasing" && number > before)
    return `found ${value}, wanted at most the current ${previous}: the value may only decrease`;
  return undefined;
}

/** Explains why a text is too long or contains characters that PostgreSQL does not store; undefined if neither. */
export function storageProblem(text: string, maxLength: number): string | undefined {
  if (text.length > maxLength)
    return `found ${text.length} characters, wanted at most ${maxLength}`;
  if (text.includes("\0") || !text.isWellFormed())
    return "found a NUL or half a surrogate pair, wanted text without them";
  return undefined;
}
