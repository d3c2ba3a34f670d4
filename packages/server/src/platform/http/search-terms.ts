import { invalidField } from "../errors/errors.ts";

/** One term of a search: `key:value`, or a bare word without a key. */
export interface SearchTerm {
  readonly key: string | undefined;
  readonly value: string;
}

/**
 * Splits a search into its terms, in lower case; double quotes group. Throws an `Invalid` with `message` for a stray
 * colon.
 */
export function readSearchTerms(q: string, message: string): SearchTerm[] {
  const elements = q.toLowerCase().match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
  return elements.map((element) => {
    const parts = element.match(/(?:"[^"]*"|[^:"])+/g) ?? [];
    const colons = element.replaceAll(/"[^"]*"/g, "").split(":").length - 1;
    const [first = "", second = ""] = parts.map((part) => part.replaceAll('"', ""));
    if (colons === 0) return { key: undefined, value: first };
    if (colons > 1 || parts.length !== 2) {
      const detail = `Query element "${element.slice(0, 100)}" must have the form key:value`;
      throw invalidField("q", detail, message);
    }
    return { key: first, value: second };
  });
}
