/* Searches as text, which filters and fields change (docs/search.md), and the parameters of addresses that have them. */

const termPattern = /(?:"[^"]*"|[^\s"])+/g;

function termsOf(q: string): readonly string[] {
  return q.match(termPattern) ?? [];
}

/** Returns the value of the last term with a key; undefined without one. */
export function termValue(q: string, key: string): string | undefined {
  const term = termsOf(q).findLast((one) => one.toLowerCase().startsWith(`${key}:`));
  return term?.slice(key.length + 1).replaceAll('"', "");
}

/** Returns a search with another value of a key, or without the key; terms that exclude stay. */
export function withTerm(q: string, key: string, value: string | undefined): string {
  const others = termsOf(q).filter((term) => !term.toLowerCase().startsWith(`${key}:`));
  const added = value === undefined ? [] : [`${key}:${quoted(value)}`];
  return [...others, ...added].join(" ");
}

function quoted(value: string): string {
  return /[\s:]/.test(value) ? `"${value}"` : value;
}

/** Returns the text of a search parameter; undefined if it is empty or no text. */
function textParameter(value: unknown): string | undefined {
  // The router reads digits as a number.
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text !== "" ? text : undefined;
}

/** Returns the search parameters of these names that have a text. */
export function textParameters<K extends string>(
  search: Readonly<Record<string, unknown>>,
  ...names: readonly K[]
): { readonly [N in K]?: string } {
  const found: { [N in K]?: string } = {};
  for (const name of names) {
    const text = textParameter(search[name]);
    if (text !== undefined) found[name] = text;
  }
  return found;
}

/** Returns the number of a page from 2 on; undefined stands for the first. */
export function pageParameter(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 1 ? value : undefined;
}

/** A search of a list in the address of its page, and the page of the list from 2 on. */
export interface PagedSearch {
  readonly q?: string;
  readonly page?: number;
}

/** Reads a search from the parameters of an address. */
export function readPagedSearch(search: Readonly<Record<string, unknown>>): PagedSearch {
  const page = pageParameter(search["page"]);
  return { ...textParameters(search, "q"), ...(page !== undefined && { page }) };
}
