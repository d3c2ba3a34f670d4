/** Where JSON has another shape than a recorded one; `path` has dots between keys, `[]` for the elements of a list. */
export interface Difference {
  readonly path: string;
  readonly wanted: string;
  readonly found: string;
}

/**
 * What of a recorded JSON our JSON does not have, or has as another type: each recorded key, in depth. More keys are no
 * difference. Of a list that is not empty the first elements are compared.
 */
export function shapeDifferences(recorded: unknown, ours: unknown, path = ""): Difference[] {
  const [wanted, found] = [typeOf(recorded), typeOf(ours)];
  if (wanted !== found) return [{ path, wanted, found }];
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    return recorded.length === 0 ? [] : shapeDifferences(recorded[0], ours[0], `${path}[]`);
  }
  if (!isObject(recorded) || !isObject(ours)) return [];
  return Object.keys(recorded).flatMap((key) =>
    shapeDifferences(recorded[key], ours[key], path === "" ? key : `${path}.${key}`),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
