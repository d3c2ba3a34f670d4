import { UsageError } from "../../command/errors.ts";

/** Parses tags such as `region=eu`. Throws `UsageError`, which names the flag. */
export function readTags(flag: string, given: readonly string[]): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`${flag} ${text} is not a tag`, "wanted name=value");
    const name = text.slice(0, at);
    if (Object.hasOwn(tags, name)) throw new UsageError(`${flag} has the tag ${name} twice`);
    tags[name] = text.slice(at + 1);
  }
  return tags;
}

/** Returns tags for people, without the usual ones: `region=eu size=large`. */
export function tagsText(tags: Readonly<Record<string, string>>): string {
  const { scope: _, owner: __, ...own } = tags;
  const entries = Object.entries(own).map(([name, value]) => `${name}=${value}`);
  return entries.toSorted().join(" ");
}
