import { nameProblem } from "@slipway/api/contract/name";
import { type Infer, zeroTimestamp } from "@slipway/api/contract/scalars";
import {
  type AssignableRole,
  roleNames,
  type User,
  type UsersResponse,
} from "@slipway/api/users/user";
import { sql } from "kysely";

import {
  isOwnerRole,
  mayActFor,
  maySeeUsers,
  roleDisplayNames,
  roleJson,
} from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { invalidField, notFound } from "../../platform/errors/errors.ts";
import type { Page } from "../../platform/fields/paging.ts";
import { readUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { selectUserById, selectUserByName, type UserRow, users } from "./queries.ts";
import type { UserSearch } from "./search.ts";

/**
 * Finds the user for whom the caller may act, by id, name or `me`. Any other user appears not to exist, because the
 * caller may not see that user's resources.
 */
export async function findUser(
  db: Queryable,
  caller: UserCaller,
  reference: string,
): Promise<UserRow> {
  const found = await findVisibleUser(db, caller, reference);
  if (!mayActFor(caller, found.id)) throw notFound();
  return found;
}

/** Returns the id of the user for whom the caller may act; the caller's own without a query. */
export async function findUserId(
  db: Queryable,
  caller: UserCaller,
  reference: string,
): Promise<string> {
  if (reference === "me" || reference === caller.id) return caller.id;
  return (await findUser(db, caller, reference)).id;
}

/** Finds a user whom the caller may see, which requires fewer rights than acting for the user; throws `NotFound`. */
export async function findVisibleUser(
  db: Queryable,
  caller: UserCaller,
  reference: string,
): Promise<UserRow> {
  const id = reference === "me" ? caller.id : readUuid(reference);
  const found = await (id === undefined ? selectUserByName(db, reference) : selectUserById(db, id));
  if (found === undefined || (found.id !== caller.id && !maySeeUsers(caller))) throw notFound();
  return found;
}

/** Reads the roles of a user; none when the user is deleted. */
export async function readRoles(db: Queryable, userId: string): Promise<readonly string[]> {
  return (await selectUserById(db, userId))?.roles ?? [];
}

/** Throws `Invalid` for an invalid username or email address. */
export function checkNames(input: { readonly username: string; readonly email: string }): void {
  const name = nameProblem(input.username);
  if (name !== undefined) throw invalidField("username", name);
  if (!/^[^@\s]+@[^@\s]+$/.test(input.email)) {
    throw invalidField("email", `must be an email address, found "${input.email}"`);
  }
}

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

/** Returns the user as clients see it. */
export function userJson(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    name: row.name,
    email: row.email,
    created_at: row.created_at,
    updated_at: row.updated_at,
    last_seen_at: row.last_seen_at ?? zeroTimestamp,
    status: row.status,
    login_type: row.login_type,
    organization_ids: row.organization_ids,
    roles: row.roles.map(roleJson),
    has_ai_seat: false,
  };
}

/** A filter for users; `onlyId` when the caller may see no other. */
interface UserFilter extends UserSearch {
  readonly onlyId: string | undefined;
}

function matching(db: Queryable, filter: UserFilter) {
  return db
    .selectFrom("users as u")
    .where("u.deleted", "=", sql.lit(false))
    .where("u.is_system", "=", sql.lit(false))
    .where(({ and, eb, or }) => {
      const { onlyId, status, role, loginType } = filter;
      return and([
        ...(onlyId === undefined ? [] : [eb("u.id", "=", onlyId)]),
        ...(status === undefined ? [] : [eb("u.status", "=", status)]),
        ...(loginType === undefined ? [] : [eb("u.login_type", "=", loginType)]),
        // Every user is a member.
        ...(role === undefined || role === "member" ? [] : [sql<boolean>`${role} = any(u.roles)`]),
        ...filter.words.map((word) =>
          or(
            (["u.username", "u.email", "u.name"] as const).map(
              (column) => sql<boolean>`position(${word} in lower(${sql.ref(column)})) > 0`,
            ),
          ),
        ),
      ]);
    });
}

async function countMatchingUsers(db: Queryable, filter: UserFilter): Promise<number> {
  const row = await matching(db, filter)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

function selectMatchingUsers(db: Queryable, filter: UserFilter, page: Page) {
  const ids = matching(db, filter)
    .select("u.id")
    .orderBy(sql`lower(u.username)`)
    .offset(page.offset)
    .$if(page.limit !== undefined, (query) => query.limit(page.limit ?? 0));
  return users(db)
    .where("u.id", "in", ids)
    .orderBy(sql`lower(u.username)`)
    .execute();
}

function selectUsersById(db: Queryable, ids: readonly string[]) {
  return users(db).where("u.id", "in", ids).execute();
}
