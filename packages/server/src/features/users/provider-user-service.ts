import type { RoleName } from "@slipway/api/users/user";
import { sql, type Transaction } from "kysely";

import { endKeysMadeByOthers, endSessionsBut } from "../../platform/auth/queries.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { type AuditActor, diffOf } from "../audit/service.ts";
import { joinDefaultOrganization } from "../organizations/service.ts";
import { recordUserChange } from "./audit.ts";
import { isLastOwner, lockCurrentUser } from "./lock-service.ts";
import { insertUser, updateUser } from "./queries.ts";

/** A user who logs in at a provider. */
export interface ProviderUser {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly loginType: "oidc" | "github";
}

/** Creates a user for a person whom a provider has let in, by the person's own request. */
export async function createProviderUser(
  trx: Transaction<DB>,
  origin: AuditActor["origin"],
  user: ProviderUser,
): Promise<string> {
  const id = await insertUser(trx, { ...user, passwordHash: "", roles: [], status: "active" });
  await joinDefaultOrganization(trx, id);
  await recordUserChange(trx, { id, origin }, { id, username: user.username }, "create");
  return id;
}

/** A user who converts their account, and the session in which they confirmed their password for it. */
interface ConvertingUser {
  readonly id: string;
  readonly keyId: string;
}

/**
 * Replaces a user's password by a provider, and ends their sessions; their API tokens stay. Resolves to false if the session
 * has ended since they confirmed the password.
 */
export async function convertToProvider(
  trx: Transaction<DB>,
  origin: AuditActor["origin"],
  { id, keyId }: ConvertingUser,
  loginType: ProviderUser["loginType"],
): Promise<boolean> {
  const user = await trx
    .selectFrom("users as user")
    .innerJoin("api_keys as key", "key.user_id", "user.id")
    .where("user.id", "=", id)
    .where("user.deleted", "=", sql.lit(false))
    .where("user.status", "=", "active")
    .where("user.login_type", "=", "password")
    .where("key.id", "=", keyId)
    .where("key.expires_at", ">", sql<string>`now()`)
    .select(["user.id", "user.username"])
    .forNoKeyUpdate("user")
    .executeTakeFirst();
  if (user === undefined) return false;
  await updateUser(trx, id, { login_type: loginType, password_hash: "" });
  const diff = diffOf({ login_type: "password" }, { login_type: loginType });
  await recordUserChange(trx, { id, origin }, user, "write", diff);
  await endSessionsBut(trx, id, undefined);
  return true;
}

/** The part of a user that a provider determines at each login; undefined for what it leaves as it is. */
export interface ProviderFacts {
  /** Verified. */
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly roles: readonly RoleName[] | undefined;
}

interface UpdatedUser {
  /** True if the provider takes the role `owner` from the last active owner, who keeps it. */
  readonly keepsOwner: boolean;
}

/** Locks a user and changes what the provider says differently from the last time. */
export async function updateFromProvider(
  trx: Transaction<DB>,
  by: AuditActor,
  userId: string,
  facts: ProviderFacts,
): Promise<UpdatedUser> {
  const losesOwner = facts.roles !== undefined && !facts.roles.includes("owner");
  const keepsOwner = losesOwner && (await isLastOwner(trx, userId));
  const user = await lockCurrentUser(trx, userId);
  const roles =
    facts.roles === undefined
      ? user.roles
      : [...(keepsOwner ? (["owner"] as const) : []), ...facts.roles];
  const isSame = roles.toSorted().join() === user.roles.toSorted().join();
  const email =
    facts.email === undefined || (await isTaken(trx, userId, facts.email))
      ? user.email
      : facts.email;
  const after = {
    name: facts.name ?? user.name,
    email,
    roles: isSame ? user.roles : roles,
  };
  const diff = diffOf({ ...user }, after);
  if (Object.keys(diff).length === 0) return { keepsOwner };
  await updateUser(trx, userId, { ...after, roles: [...after.roles] });
  await recordUserChange(trx, by, user, "write", diff);
  // Their creators would act with the new role.
  if (roles.some((role) => !user.roles.includes(role))) await endKeysMadeByOthers(trx, userId);
  return { keepsOwner };
}

async function isTaken(db: Queryable, userId: string, email: string): Promise<boolean> {
  const other = await db
    .selectFrom("users")
    .where(sql`lower(email)`, "=", email.toLowerCase())
    .where("deleted", "=", sql.lit(false))
    .where("id", "<>", userId)
    .select("id")
    .executeTakeFirst();
  return other !== undefined;
}

/** Returns the names among these that a user has, in lower case. */
export async function selectTakenNames(
  db: Queryable,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("users")
    .where(
      sql`lower(username)`,
      "in",
      names.map((name) => name.toLowerCase()),
    )
    .where("deleted", "=", sql.lit(false))
    .select(sql<string>`lower(username)`.as("name"))
    .execute();
  return new Set(rows.map(({ name }) => name));
}
