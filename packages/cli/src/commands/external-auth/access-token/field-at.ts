/** Returns the field at a path `a.b` of a document as text; undefined if there is none. */
export function fieldAt(document: unknown, path: string): string | undefined {
  let value = document;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = new Map(Object.entries(value)).get(name);
  }
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
