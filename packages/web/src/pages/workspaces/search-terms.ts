/* The searches of lists as text: what chips and fields change of it (docs/search.md). */

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
