import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

export function users(db: Queryable) {
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

export function selectUserByName(db: Queryable, username: string) {
  return users(db)
    .where(sql`lower(u.username)`, "=", username.toLowerCase())
    .executeTakeFirst();
}

export type UserRow = NonNullable<Awaited<ReturnType<typeof selectUserById>>>;

/** Selects what a password change checks. */
export function selectPassword(db: Queryable, id: string) {
  return db
    .selectFrom("users")
    .where("id", "=", id)
    .select(["password_hash", "login_type"])
    .executeTakeFirstOrThrow();
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

interface InsertUser {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly roles: readonly string[];
  readonly loginType: "password" | "oidc" | "github" | "none";
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

/** The changeable columns of a user. */
interface UserChange {
  readonly username?: string;
  readonly email?: string;
  readonly name?: string;
  readonly login_type?: "password" | "oidc" | "github";
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
