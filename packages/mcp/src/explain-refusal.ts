import { errorText, printableText } from "@slipway/runtime";

import { maxErrorChars } from "./limits.ts";
import { ToolError } from "./tool.ts";

/** Returns the reason of a refusal, in words for the caller; undefined for a fault of the server. */
export function explainRefusal(error: unknown): string | undefined {
  const text = error instanceof ToolError ? error.message : (answerText(error) ?? lostText(error));
  if (text === undefined) return undefined;
  const printable = printableText(text, { colors: false });
  return printable.length > maxErrorChars ? `${printable.slice(0, maxErrorChars)}…` : printable;
}

/** Returns the text of an error that may not come again, such as a lost connection to the server. */
function lostText(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("retryable" in error)) return undefined;
  return error.retryable === true ? errorText(error) : undefined;
}

/** Returns the text of an error that has the status and the body of an error answer. */
function answerText(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("status" in error) || !("body" in error)) return undefined;
  const body: unknown = error.body;
  const message = textOf(body, "message");
  if (message === undefined) return undefined;
  const detail = textOf(body, "detail");
  const faults = validationsOf(body).map(
    (one) => `${textOf(one, "field") ?? ""}: ${textOf(one, "detail") ?? ""}`,
  );
  return [message, ...(detail === undefined ? [] : [detail]), ...faults].join("\n");
}

function validationsOf(body: unknown): readonly unknown[] {
  const list: unknown = fieldOf(body, "validations");
  return Array.isArray(list) ? list : [];
}

function textOf(value: unknown, name: string): string | undefined {
  const text = fieldOf(value, name);
  return typeof text === "string" ? text : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
