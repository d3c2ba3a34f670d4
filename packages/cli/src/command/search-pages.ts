import { UsageError } from "./errors.ts";

/** The flags of a list that is read page by page. */
interface PageOptions {
  readonly limit: number | undefined;
  readonly offset: number | undefined;
}

const defaultLimit = 50;
/** The maximum number of entries in one response of the server. */
const pageSize = 100;

/** Translates flags into the server's search syntax, before the text of `--search`. */
export function searchText(
  terms: Readonly<Record<string, string | undefined>>,
  search: string | undefined,
): string {
  const words = Object.entries(terms).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}:"${value.replaceAll('"', "")}"`],
  );
  return [...words, ...(search === undefined ? [] : [search])].join(" ");
}

/** Reads the requested number of entries. Throws `UsageError` for a negative count. */
export async function readPages<T>(
  { limit = defaultLimit, offset = 0 }: PageOptions,
  read: (page: { readonly limit: string; readonly offset: string }) => Promise<readonly T[]>,
): Promise<T[]> {
  const skipped = requireCount("--offset", offset);
  const wanted = requireCount("--limit", limit);
  const entries: T[] = [];
  while (entries.length < wanted) {
    const size = Math.min(pageSize, wanted - entries.length);
    const page = await read({ limit: String(size), offset: String(skipped + entries.length) });
    entries.push(...page);
    if (page.length < size) break;
  }
  return entries;
}

function requireCount(flag: string, value: number): number {
  if (value >= 0) return value;
  throw new UsageError(`${flag} "${value}" is not a count, wanted 0 or more`);
}
