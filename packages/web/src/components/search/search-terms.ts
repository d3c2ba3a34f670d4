/** Joins the terms of a search; empty values are left out, and those with spaces get quotes. */
export function searchText(
  words: string,
  terms: Readonly<Record<string, string | undefined>> = {},
): string {
  const parts = Object.entries(terms).flatMap(([key, value = ""]) =>
    value === "" ? [] : [`${key}:${/\s/.test(value) ? `"${value}"` : value}`],
  );
  return [words.trim(), ...parts].filter((part) => part !== "").join(" ");
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
