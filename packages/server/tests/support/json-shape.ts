/**
 * A difference in shape between JSON and a recorded one; `path` has dots between keys, `[]` for the elements of a list.
 */
export interface Difference {
  readonly path: string;
  readonly wanted: string;
  readonly found: string;
}

/**
 * Returns the parts of a recorded JSON that our JSON lacks, or has with another type: each recorded key, in depth.
 * Additional keys are not differences. A list element is compared with ours of the same name, or the one at its index, or
 * the first one.
 */
export function shapeDifferences(recorded: unknown, ours: unknown, path = ""): Difference[] {
  const [wanted, found] = [typeOf(recorded), typeOf(ours)];
  if (wanted !== found) return [{ path, wanted, found }];
  if (isList(recorded) && isList(ours)) {
    return recorded.flatMap((element, index) =>
      shapeDifferences(element, counterpart(element, index, ours), `${path}[]`),
    );
  }
  if (!isObject(recorded) || !isObject(ours)) return [];
  return Object.keys(recorded).flatMap((key) =>
    shapeDifferences(recorded[key], ours[key], path === "" ? key : `${path}.${key}`),
  );
}

/** Returns our keys that the recorded JSON does not have. */
export function addedKeys(recorded: unknown, ours: unknown): string[] {
  return shapeDifferences(ours, recorded)
    .filter(({ path, found }) => found === "undefined" && !path.endsWith("[]"))
    .map(({ path }) => path);
}

/** The keys that identify list elements. */
const nameKeys = ["name", "display_name", "slug", "type"];

function counterpart(element: unknown, index: number, list: readonly unknown[]): unknown {
  const named = list.find((other) =>
    nameKeys.some(
      (key) => nameIn(element, key) !== undefined && nameIn(element, key) === nameIn(other, key),
    ),
  );
  return named ?? list[index] ?? list[0];
}

function nameIn(value: unknown, key: string): unknown {
  const name = isObject(value) ? value[key] : undefined;
  return name === "" ? undefined : name;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
