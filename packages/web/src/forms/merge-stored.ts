/** Returns a form with the newer stored values of those fields that are as they were stored before. */
export function mergeStored<T>(form: T, before: T, stored: T): T {
  if (!isGroup(form) || !isGroup(before) || !isGroup(stored)) {
    return isEqual(form, before) ? stored : form;
  }
  const merged = Object.keys(stored).map((key) => [
    key,
    mergeStored(form[key], before[key], stored[key]),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields of the stored values
  return Object.fromEntries(merged) as T;
}

/** Returns whether two values of fields, or groups of them, are the same. */
export function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
