import {
  type AssignableRole,
  type Infer,
  roleNames,
  type User,
  type UsersResponse,
} from "@slipway/api";

import { isOwnerRole, maySeeUsers } from "../../platform/auth/rights.ts";
import { roleDisplayNames } from "../../platform/auth/role-json.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Page } from "../../platform/http/paging.ts";
import { countMatchingUsers, selectMatchingUsers, selectUsersById } from "./queries.ts";
import type { UserSearch } from "./search.ts";
import { userJson } from "./user-json.ts";

/** Lists the matching users that the caller may see: one page of them, and their total number. */
export async function listUsers(
  db: Queryable,
  caller: UserCaller,
  search: UserSearch,
  page: Page,
): Promise<Infer<typeof UsersResponse>> {
  const filter = { ...search, onlyId: maySeeUsers(caller) ? undefined : caller.id };
  const [rows, count] = await Promise.all([
    selectMatchingUsers(db, filter, page),
    countMatchingUsers(db, filter),
  ]);
  return { users: rows.map(userJson), count };
}

/** Reads the users with those ids, except deleted ones. */
export async function readUsersById(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, User>> {
  if (ids.length === 0) return new Map();
  const rows = await selectUsersById(db, ids);
  return new Map(rows.map((row) => [row.id, userJson(row)]));
}

/** Lists the existing roles; only owners assign them. `member` is implicit. */
export function listRoles(caller: UserCaller): Infer<typeof AssignableRole>[] {
  return roleNames.map((name) => ({
    name,
    display_name: roleDisplayNames[name],
    assignable: isOwnerRole(caller) && name !== "member",
    built_in: true,
  }));
}
