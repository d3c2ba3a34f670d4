/** Returns the items of the value of a list; none for text that is not a list. */
export function readListValue(value: string): readonly string[] {
  try {
    const items: unknown = JSON.parse(value === "" ? "[]" : value);
    return Array.isArray(items) ? items.filter((item) => typeof item === "string") : [];
  } catch {
    // The server says what is wrong with the value.
    return [];
  }
}

/** Returns a value as people read it: the items of a list in place of its encoding. */
export function valueText(value: string): string {
  if (value === "[]") return "none";
  const items = readListValue(value);
  // Other texts may look similar.
  return items.length > 0 && encodeListValue(items) === value ? items.join(", ") : value;
}

/** Returns the value of a list. */
export function encodeListValue(items: readonly string[]): string {
  return JSON.stringify(items);
}
