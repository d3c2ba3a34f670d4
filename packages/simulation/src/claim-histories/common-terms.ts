import type { Names } from "./names.ts";

/**
 * Returns an answer of the product in terms of both worlds: ids become names, and times become ages. Times are the
 * numbers whose keys end like `createdAtMs`, `connectedSinceMs` or `backoffUntilMs`.
 */
export function inCommonTerms(value: object, names: Names, nowMs: number): object {
  const terms = (key: string, part: unknown): unknown => {
    if (typeof part === "number") return /(At|Until|Since)Ms$/.test(key) ? nowMs - part : part;
    if (typeof part === "string") return names.has(part) ? names.name(part) : part;
    if (Array.isArray(part)) return part.map((one: unknown) => terms(key, one));
    if (typeof part !== "object" || part === null) return part ?? null;
    return inCommonTerms(part, names, nowMs);
  };
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "nowMs")
      .map(([key, part]: [string, unknown]) => [key, terms(key, part)]),
  );
}
