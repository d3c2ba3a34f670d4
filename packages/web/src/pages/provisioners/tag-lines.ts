/** Tags as a person writes them, or the problem with the first line that is none. */
export type ReadTags =
  | { readonly tags: Readonly<Record<string, string>> }
  | { readonly problem: string };

/** Parses tags of one line each, such as `region=eu`; empty lines and spaces around names and values do not count. */
export function readTagLines(text: string): ReadTags {
  const tags = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = line.indexOf("=");
    const name = line.slice(0, Math.max(at, 0)).trim();
    if (name === "") return { problem: `Line ${index + 1} must be name=value.` };
    if (tags.has(name)) return { problem: `Line ${index + 1} repeats the tag ${name}.` };
    tags.set(name, line.slice(at + 1).trim());
  }
  if (tags.size === 0) return { problem: "A key without tags gets no jobs: enter at least one." };
  return { tags: Object.fromEntries(tags) };
}

/** Returns tags as texts such as `region=eu`, in the order of their names. */
export function tagTexts(tags: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
}
