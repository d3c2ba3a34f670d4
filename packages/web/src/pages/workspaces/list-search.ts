import type { QueryOf } from "@slipway/api/contract/route";
import type { listWorkspaces } from "@slipway/api/workspaces/routes";

type ListQuery = QueryOf<typeof listWorkspaces>;

/** The list that the address describes. Without a search it is that of one's own workspaces. */
export interface ListSearch {
  readonly q?: string;
  readonly sort?: NonNullable<ListQuery["sort"]>;
  readonly group?: NonNullable<ListQuery["group"]>;
}

/** The longest search that the server reads, in characters. */
const maxSearch = 1024;

/** The search of a list without one in its address. */
export const ownWorkspaces = "owner:me";

/** The number of workspaces that are read at once. */
export const pageSize = 100;

const sorts = ["name", "last_used", "status"] as const;
const groups = ["template", "organization"] as const;

/** Reads the list from the parameters of an address; unknown ones are left out. */
export function readListSearch(search: Readonly<Record<string, unknown>>): ListSearch {
  // The router reads digits as a number.
  const q = typeof search["q"] === "number" ? String(search["q"]) : search["q"];
  const sort = sorts.find((one) => one === search["sort"]);
  const group = groups.find((one) => one === search["group"]);
  return {
    ...(typeof q === "string" && q !== ownWorkspaces ? { q: q.slice(0, maxSearch) } : {}),
    ...(sort === undefined ? {} : { sort }),
    ...(group === undefined ? {} : { group }),
  };
}

/** Returns the query of a page of the list, counted from 0. */
export function pageQuery({ q = ownWorkspaces, sort, group }: ListSearch, page: number): ListQuery {
  return {
    q,
    limit: String(pageSize),
    offset: String(page * pageSize),
    ...(sort === undefined ? {} : { sort }),
    ...(group === undefined ? {} : { group }),
  };
}
