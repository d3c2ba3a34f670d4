/** Parses a `list(string)` value, which is a JSON array; undefined for anything else. */
export function parseListValue(value: string): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    const isList = Array.isArray(parsed) && parsed.every((item) => typeof item === "string");
    return isList ? parsed : undefined;
  } catch {
    return undefined; // not JSON
  }
}

/** Returns the value for a typed `a, b` or JSON array. */
export function listValueOf(typed: string): string {
  if (typed.trim().startsWith("[")) return typed.trim();
  const texts = typed.split(",").map((text) => text.trim());
  return JSON.stringify(texts.filter((text) => text !== ""));
}
