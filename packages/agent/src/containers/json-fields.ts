/** The fields of a parsed JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** Parses a JSON object; undefined for anything else. */
export function parseFields(json: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isFields(parsed) ? parsed : undefined;
  } catch {
    // Not JSON.
    return undefined;
  }
}

/** Returns the fields of an object, and none of anything else. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Returns a text, and the empty one for anything else. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
