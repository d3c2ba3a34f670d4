import type { Prompts } from "../../terminal/prompts.ts";
import type { FormParameter } from "./parameter-form.ts";

/**
 * Prompts for a parameter's value in a form that fits its type. Enter alone takes `fallback`; `rejected` is an answer
 * to correct. A masked value is never shown, and typed again to correct it.
 */
export async function askParameter(
  parameter: FormParameter,
  prompts: Prompts,
  {
    fallback,
    rejected,
  }: { readonly fallback: string | undefined; readonly rejected: string | undefined },
): Promise<string> {
  const { title, description, type, formType, options, isMasked } = parameter;
  const [firstLine = ""] = description.split("\n");
  const message = firstLine === "" ? title : `${title}: ${firstLine}`;
  const choices = options.map((option) => ({
    value: option.value,
    label: option.name || option.value,
    hint: option.description,
  }));
  if (choices.length > 0 && (formType === "multi-select" || formType === "tag-select")) {
    const initial = parseListValue(rejected ?? fallback ?? "") ?? [];
    const known = initial.filter((value) => choices.some((choice) => choice.value === value));
    return JSON.stringify(await prompts.multiselect(message, choices, known));
  }
  if (choices.length > 0) return prompts.select(message, choices, rejected ?? fallback);
  if (type === "bool")
    return String(await prompts.confirm(message, { initial: fallback === "true" }));
  const isList = type === "list(string)";
  if (isMasked) {
    const kept = fallback === undefined ? "" : " (Enter alone takes the present value)";
    const typed = await prompts.secret({ message: `${message}${kept}`, fallback });
    return isList && typed !== fallback ? listValueOf(typed) : typed;
  }
  if (isList) {
    const shown = (value: string): string => parseListValue(value)?.join(", ") ?? value;
    const typed = await prompts.text({
      message: `${message} (separate several by commas)`,
      fallback: fallback === undefined ? undefined : shown(fallback),
      initial: rejected === undefined ? undefined : shown(rejected),
    });
    // An unchanged value is kept, even if one of its texts has a comma.
    return fallback !== undefined && typed === shown(fallback) ? fallback : listValueOf(typed);
  }
  return prompts.text({ message, fallback, initial: rejected });
}

/** Parses a `list(string)` value, which is a JSON array; undefined for anything else. */
function parseListValue(value: string): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    const isList = Array.isArray(parsed) && parsed.every((item) => typeof item === "string");
    return isList ? parsed : undefined;
  } catch {
    return undefined; // not JSON
  }
}

/** Returns the value for a typed `a, b` or JSON array. */
function listValueOf(typed: string): string {
  if (typed.trim().startsWith("[")) return typed.trim();
  const texts = typed.split(",").map((text) => text.trim());
  return JSON.stringify(texts.filter((text) => text !== ""));
}
