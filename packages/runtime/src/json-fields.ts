/*
 * Reads fields of JSON that other programs wrote and whose form differs between their versions: an absent field, or one of
 * another type, reads as empty.
 */

/** A parsed JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a JSON object; undefined for anything else. */
export function parseObject(json: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    // Not JSON.
    return undefined;
  }
}

/** Returns an object as it is, and an empty one for anything else. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** Returns a list as it is, and an empty one for anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns a text as it is, and an empty one for anything else. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Returns the texts of a list. */
export function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((one) => typeof one === "string");
}

/** Returns a number as it is, and 0 for anything else. */
export function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** Returns an object whose values are texts, such as labels. */
export function textMapOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(objectOf(value));
  return Object.fromEntries(entries.map(([name, text]) => [name, textOf(text)]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
