import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { Page } from "../../platform/http/paging.ts";
import type { UserSearch } from "./search.ts";

export async function countUsers(db: Queryable): Promise<number> {
  const row = await db
    .selectFrom("users")
    .where("is_system", "=", sql.lit(false))
    .where("deleted", "=", sql.lit(false))
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

function users(db: Queryable) {
  return db
    .selectFrom("users as u")
    .where("u.deleted", "=", sql.lit(false))
    .where("u.is_system", "=", sql.lit(false))
    .select([
      "u.id",
      "u.username",
      "u.name",
      "u.email",
      "u.status",
      "u.login_type",
      "u.roles",
      "u.created_at",
      "u.updated_at",
      "u.last_seen_at",
      sql<
        string[]
      >`array(select organization_id from organization_members m where m.user_id = u.id)`.as(
        "organization_ids",
      ),
    ]);
}

export function selectUserById(db: Queryable, id: string) {
  return users(db).where("u.id", "=", id).executeTakeFirst();
}

export function selectUsersById(db: Queryable, ids: readonly string[]) {
  return users(db).where("u.id", "in", ids).execute();
}

export function selectUserByName(db: Queryable, username: string) {
  return users(db)
    .where(sql`lower(u.username)`, "=", username.toLowerCase())
    .executeTakeFirst();
}

export function selectUserByEmail(db: Queryable, email: string) {
  return users(db)
    .where(sql`lower(u.email)`, "=", email.toLowerCase())
    .executeTakeFirst();
}

export type UserRow = NonNullable<Awaited<ReturnType<typeof selectUserById>>>;

/** A filter for users; `onlyId` when the caller may see no other. */
export interface UserFilter extends UserSearch {
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
        // Everybody is a member.
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

export async function countMatchingUsers(db: Queryable, filter: UserFilter): Promise<number> {
  const row = await matching(db, filter)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

export function selectMatchingUsers(db: Queryable, filter: UserFilter, page: Page) {
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

/** Selects what a password change checks. */
export function selectPassword(db: Queryable, id: string) {
  return db
    .selectFrom("users")
    .where("id", "=", id)
    .select(["password_hash", "login_type"])
    .executeTakeFirstOrThrow();
}

/** Selects what a login checks. */
export function selectCredentials(db: Queryable, email: string) {
  return db
    .selectFrom("users")
    .where(sql`lower(email)`, "=", email.toLowerCase())
    .where("deleted", "=", sql.lit(false))
    .where("is_system", "=", sql.lit(false))
    .select(["id", "username", "password_hash", "status", "login_type"])
    .executeTakeFirst();
}

/**
 * Locks a user whose password was checked until the transaction ends; false when the password was changed first, or the
 * user may no longer log in. A password change ends the sessions created before it.
 */
export async function lockCheckedUser(
  db: Queryable,
  id: string,
  passwordHash: string,
): Promise<boolean> {
  const row = await db
    .selectFrom("users")
    .where("id", "=", id)
    .where("password_hash", "=", passwordHash)
    .where("deleted", "=", sql.lit(false))
    .where("status", "<>", "suspended")
    .select("id")
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** Replaces the hash of a password by another one of the same; a password that was changed meanwhile stays. */
export async function renewPasswordHash(
  db: Queryable,
  change: { readonly id: string; readonly passwordHash: string; readonly renewed: string },
): Promise<void> {
  await db
    .updateTable("users")
    .set({ password_hash: change.renewed })
    .where("id", "=", change.id)
    .where("password_hash", "=", change.passwordHash)
    .execute();
}

export interface InsertUser {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly roles: readonly string[];
  readonly loginType: "password" | "none";
  readonly status: "active" | "dormant";
}

export async function insertUser(db: Queryable, input: InsertUser): Promise<string> {
  const row = await db
    .insertInto("users")
    .values({
      username: input.username,
      email: input.email,
      name: input.name,
      password_hash: input.passwordHash,
      roles: [...input.roles],
      login_type: input.loginType,
      status: input.status,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Holds off every other attempt to create the first user until the transaction ends. */
export async function lockUsers(db: Queryable): Promise<void> {
  await sql`lock table users in share row exclusive mode`.execute(db);
}

export function selectFirstOwner(db: Queryable) {
  return db
    .selectFrom("users")
    .where(sql<boolean>`'owner' = any(roles)`)
    .where("deleted", "=", sql.lit(false))
    .where("status", "=", "active")
    .orderBy("created_at")
    .select(["id", "username", "email", "roles"])
    .executeTakeFirst();
}

/** Selects the administrator from a start that failed before it showed a password. */
export function selectAdminWithoutPassword(db: Queryable) {
  return db
    .selectFrom("users")
    .where(sql<boolean>`'owner' = any(roles)`)
    .where("deleted", "=", sql.lit(false))
    .where("login_type", "=", "password")
    .where("password_hash", "=", "")
    .orderBy("created_at")
    .limit(1)
    .select(["id", "email"]);
}

/** Holds off other changes of the active owners until the transaction ends; resolves to their ids. */
export async function lockActiveOwners(db: Queryable): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("users")
    .where(sql<boolean>`'owner' = any(roles)`)
    .where("deleted", "=", sql.lit(false))
    .where("status", "=", "active")
    .orderBy("id")
    .forUpdate()
    .select("id")
    .execute();
  return rows.map((row) => row.id);
}

/** Holds off transfers of workspaces to the user until the transaction ends; false when the user was deleted. */
export async function lockUserToDelete(db: Queryable, id: string): Promise<boolean> {
  const row = await db
    .selectFrom("users")
    .where("id", "=", id)
    .where("deleted", "=", sql.lit(false))
    .select("id")
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** The changeable columns of a user. */
export interface UserChange {
  readonly username?: string;
  readonly name?: string;
  readonly password_hash?: string;
  readonly status?: "active" | "suspended";
  readonly roles?: string[];
  readonly deleted?: true;
}

export async function updateUser(db: Queryable, id: string, change: UserChange): Promise<void> {
  await db
    .updateTable("users")
    .set({ ...change, updated_at: sql`now()` })
    .where("id", "=", id)
    .execute();
}

export async function ownsWorkspaces(db: Queryable, userId: string): Promise<boolean> {
  const row = await db
    .selectFrom("workspaces")
    .where("owner_id", "=", userId)
    .where("deleted", "=", sql.lit(false))
    .select("id")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
