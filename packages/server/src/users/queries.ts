import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";

export async function countUsers(db: Queryable): Promise<number> {
  const row = await db
    .selectFrom("users")
    .where("is_system", "=", false)
    .where("deleted", "=", false)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

function users(db: Queryable) {
  return db
    .selectFrom("users as u")
    .where("u.deleted", "=", false)
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

/** What a log-in checks. */
export function selectCredentials(db: Queryable, email: string) {
  return db
    .selectFrom("users")
    .where(sql`lower(email)`, "=", email.toLowerCase())
    .where("deleted", "=", false)
    .where("is_system", "=", false)
    .select(["id", "password_hash", "status", "login_type"])
    .executeTakeFirst();
}

export interface InsertUser {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly roles: readonly string[];
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
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Holds off every other attempt to make the first user until the transaction ends. */
export async function lockUsers(db: Queryable): Promise<void> {
  await sql`lock table users in share row exclusive mode`.execute(db);
}

export function selectFirstOwner(db: Queryable) {
  return db
    .selectFrom("users")
    .where(sql<boolean>`'owner' = any(roles)`)
    .where("deleted", "=", false)
    .where("status", "=", "active")
    .orderBy("created_at")
    .select(["id", "username", "roles"])
    .executeTakeFirst();
}
