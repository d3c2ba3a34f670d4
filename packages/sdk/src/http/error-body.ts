import type { ErrorBody } from "@slipway/api/contract/api-error";

/** The maximum numbers of characters and of fields of an error that a person would read. */
const maxTextChars = 4_096;
const maxValidations = 32;

/** Parses the body of an error answer; undefined for anything else, such as a proxy's page. */
export function parseErrorBody(text: string): ErrorBody | undefined {
  const parsed = parseObject(text);
  const message = textOf(parsed, "message");
  if (message === undefined) return undefined;
  const detail = textOf(parsed, "detail");
  const validations = validationsOf(parsed);
  return {
    message,
    ...(detail === undefined ? {} : { detail }),
    ...(validations.length === 0 ? {} : { validations }),
    ...factsOf(parsed),
  };
}

/** Returns the fields for programs. */
function factsOf(parsed: unknown): Pick<ErrorBody, "code" | "retryable" | "admitted"> {
  const code = textOf(parsed, "code");
  const retryable = fieldOf(parsed, "retryable");
  const admitted = fieldOf(parsed, "admitted");
  const isAdmission = admitted === "yes" || admitted === "no" || admitted === "unknown";
  return {
    ...(code === undefined ? {} : { code }),
    ...(typeof retryable === "boolean" ? { retryable } : {}),
    ...(isAdmission ? { admitted } : {}),
  };
}

function validationsOf(parsed: unknown): { readonly field: string; readonly detail: string }[] {
  const list: unknown = fieldOf(parsed, "validations");
  if (!Array.isArray(list)) return [];
  return list.slice(0, maxValidations).map((one: unknown) => ({
    field: textOf(one, "field") ?? "",
    detail: textOf(one, "detail") ?? "",
  }));
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown, name: string): string | undefined {
  const text = fieldOf(value, name);
  if (typeof text !== "string") return undefined;
  return text.length > maxTextChars ? `${text.slice(0, maxTextChars)}…` : text;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
