/** A field that two JSON values do not have in common. */
export interface JsonDifference {
  /** The path of the field, such as `resources.0.agents.0.name`. */
  readonly path: string;
  /** The values as JSON; undefined where the field is absent. */
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

/**
 * Lists the fields in which two values differ, in the order of their paths. Absent, null and empty fields are equal: clients in
 * Go read them alike.
 */
export function jsonDifferences(ours: unknown, theirs: unknown): readonly JsonDifference[] {
  const [our, their] = [new Map(leavesOf(ours, "")), new Map(leavesOf(theirs, ""))];
  return [...new Set([...our.keys(), ...their.keys()])]
    .filter((path) => our.get(path) !== their.get(path))
    .toSorted()
    .map((path) => ({ path, ours: our.get(path), theirs: their.get(path) }));
}

/** Lists the fields without fields of their own, each as its path and its value as JSON. */
function leavesOf(value: unknown, path: string): [string, string][] {
  const fields = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (fields.length === 0) return isEmpty(value) ? [] : [[path, JSON.stringify(value)]];
  return fields.flatMap(([key, field]) => leavesOf(field, path === "" ? key : `${path}.${key}`));
}

function isEmpty(value: unknown): boolean {
  return value === null || value === "" || typeof value === "object";
}
