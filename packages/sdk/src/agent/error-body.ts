import type { IncomingMessage } from "node:http";

const maxErrorBodyBytes = 64 * 1024;

/** Reads the body of an error answer, up to a length that a person would read. */
export async function readErrorBody(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > maxErrorBodyBytes) break;
  }
  return text;
}

/**
 * Returns the message of a server's error body; undefined when it is not one, and the answer is from no server of ours.
 */
export function messageOf(body: string): string | undefined {
  const parsed = parseBody(body);
  return parsed !== undefined && "message" in parsed ? String(parsed.message) : undefined;
}

/** Returns the names of the fields that an error body says are invalid. */
export function invalidFields(body: string): readonly string[] {
  const parsed = parseBody(body);
  const validations: unknown =
    parsed !== undefined && "validations" in parsed && parsed.validations;
  if (!Array.isArray(validations)) return [];
  return validations.flatMap((validation: unknown) => {
    const isField = typeof validation === "object" && validation !== null && "field" in validation;
    return isField ? [String(validation.field)] : [];
  });
}

function parseBody(body: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    // Not JSON: a proxy's page, perhaps.
    return undefined;
  }
}
