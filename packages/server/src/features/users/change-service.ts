import { nameProblem } from "@slipway/api/contract/name";
import type { BodyOf } from "@slipway/api/contract/route";
import type { updateUserRoles } from "@slipway/api/users/routes";
import type { CreateUserRequest } from "@slipway/api/users/user";
import { sql, type Transaction } from "kysely";

import { hashPassword, requirePassword } from "../../platform/auth/password.ts";
import { endKeysMadeByOthers, endSessionsOf } from "../../platform/auth/queries.ts";
import { isOwnerRole, mayCreateUsers } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import {
  Conflict,
  forbidden,
  ifFound,
  Invalid,
  invalidField,
  notFound,
  Refusal,
  takenField,
} from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { refusedOrigin } from "../../platform/http/request-origin.ts";
import type { AuditNotes } from "../audit/note-service.ts";
import { diffOf } from "../audit/service.ts";
import {
  findOrganization,
  joinDefaultOrganization,
  joinOrganization,
  leaveOrganizations,
} from "../organizations/service.ts";
import { recordUserChange, userEntry } from "./audit.ts";
import {
  currentCaller,
  isLastOwner,
  lockChangeable,
  lockCurrentUser,
  type LockedUser,
  requireChange,
} from "./lock-service.ts";
import { insertUser, updateUser, type UserRow } from "./queries.ts";
import { checkNames, findVisibleUser } from "./service.ts";

/** Creates a user, who is dormant until the first login. */
export async function createUser(
  db: Database,
  caller: UserCaller,
  input: CreateUserRequest,
): Promise<UserRow> {
  requireCreation(caller);
  checkNames(input);
  const loginType = input.login_type || "password";
  const passwordHash = await hashNewPassword(loginType, input.password ?? "");
  const { username, email, name = "" } = input;
  const status = input.user_status ?? "dormant";
  const user = { username, email, name, passwordHash, roles: [], loginType, status } as const;
  const id = await inTransaction(db, async (trx) => {
    requireCreation(await currentCaller(trx, caller));
    const userId = await insertUser(trx, user);
    await joinOrganizations(trx, userId, input.organization_ids ?? []);
    await recordUserChange(trx, caller, { id: userId, username }, "create");
    return userId;
  }).catch((error: unknown) => {
    throw takenName(error) ?? error;
  });
  return findVisibleUser(db, caller, id);
}

function requireCreation(caller: UserCaller): void {
  if (!mayCreateUsers(caller)) throw forbidden("Only owners and user admins can create users.");
}

async function hashNewPassword(loginType: string, password: string): Promise<string> {
  if (loginType !== "password") {
    if (password === "") return "";
    throw invalidField("password", `must be empty when login_type is "${loginType}"`);
  }
  requirePassword(password);
  return hashPassword(password);
}

async function joinOrganizations(
  trx: Transaction<DB>,
  userId: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) await joinDefaultOrganization(trx, userId);
  for (const id of new Set(ids)) {
    const organization = await ifFound(findOrganization(trx, id));
    if (organization === undefined) {
      throw invalidField("organization_ids", `must be the ID of an organization, found ${id}`);
    }
    await joinOrganization(trx, organization.id, userId);
  }
}

function takenName(error: unknown): Conflict | undefined {
  for (const field of ["username", "email"] as const) {
    if (violatesUnique(error, `users_${field}`)) {
      return takenField(field, `A user with this ${field} already exists.`);
    }
  }
  return undefined;
}

export async function updateProfile(
  db: Database,
  caller: UserCaller,
  reference: string,
  names: { readonly username: string; readonly name: string },
): Promise<UserRow> {
  const user = await findVisibleUser(db, caller, reference);
  if (user.id !== caller.id) requireChange(caller, user);
  const problem = nameProblem(names.username);
  if (problem !== undefined) throw invalidField("username", problem);
  await inTransaction(db, async (trx) => {
    const current = await lockChangeable(trx, caller, user.id);
    await updateUser(trx, user.id, names);
    await recordUserChange(trx, caller, current, "write", diffOf({ ...current }, names));
  }).catch((error: unknown) => {
    throw takenName(error) ?? error;
  });
  return findVisibleUser(db, caller, user.id);
}

export async function setStatus(
  db: Database,
  caller: UserCaller,
  reference: string,
  status: "active" | "suspended",
): Promise<UserRow> {
  const user = await findVisibleUser(db, caller, reference);
  requireChange(caller, user);
  if (status === "suspended" && user.id === caller.id) {
    throw new Invalid("You cannot suspend yourself.");
  }
  await inTransaction(db, async (trx) => {
    if (status === "suspended") await keepAnOwner(trx, user.id);
    const current = await lockChangeable(trx, caller, user.id);
    await updateUser(trx, user.id, { status });
    await recordUserChange(trx, caller, current, "write", diffOf({ ...current }, { status }));
  });
  return findVisibleUser(db, caller, user.id);
}

/** A refused change of roles is recorded once in this time for each caller and user. */
const noteRefusalOnceInMs = 10 * 60_000;

/**
 * Sets the roles of a user, unless they are not as `expected_roles` says; `member`, the role of every user, is not stored.
 * Refusals are recorded, too.
 */
export async function setRoles(
  { db, notes }: { readonly db: Database; readonly notes: AuditNotes },
  caller: UserCaller,
  reference: string,
  request: BodyOf<typeof updateUserRoles>,
): Promise<UserRow> {
  const user = await findVisibleUser(db, caller, reference);
  const roles = [...new Set(request.roles)].filter((name) => name !== "member");
  try {
    requireRoleChange(caller, user);
    await inTransaction(db, async (trx) => {
      if (!roles.includes("owner")) await keepAnOwner(trx, user.id);
      const current = await lockCurrentUser(trx, user.id);
      requireRoleChange(await currentCaller(trx, caller), current);
      // A repetition of a request that was carried out changes nothing.
      if (!haveSameNames(current.roles, roles)) requireExpected(current, request.expected_roles);
      await updateUser(trx, user.id, { roles });
      await recordUserChange(trx, caller, current, "write", diffOf({ ...current }, { roles }));
      // Their creators would act with the new role.
      const isGranted = roles.some((role) => !current.roles.includes(role));
      if (isGranted) await endKeysMadeByOthers(trx, user.id);
    });
  } catch (error) {
    if (error instanceof Refusal) {
      const diff = diffOf({ ...user }, { roles });
      const entry = userEntry(refused(caller, error), user, "write", diff);
      const key = `roles ${caller.id} ${user.id} ${error.code}`;
      await notes.record(entry, { key, onceInMs: noteRefusalOnceInMs });
    }
    throw error;
  }
  return findVisibleUser(db, caller, user.id);
}

function requireRoleChange(caller: UserCaller, user: Pick<UserRow, "id">): void {
  if (!isOwnerRole(caller)) throw forbidden("Only owners can assign and remove roles.");
  if (user.id === caller.id) throw new Invalid("You cannot change your own roles.");
}

function requireExpected(
  { roles, username }: Pick<LockedUser, "roles" | "username">,
  expected: readonly string[] | undefined,
): void {
  if (expected === undefined || haveSameNames(roles, expected)) return;
  throw new Conflict(`The roles of "${username}" have been changed in the meantime.`, {
    detail: "Check the current roles, and repeat your change.",
  });
}

function haveSameNames(one: readonly string[], other: readonly string[]): boolean {
  const names = new Set(other);
  return new Set(one).size === names.size && one.every((name) => names.has(name));
}

/** Returns the caller of a refused request. */
function refused(caller: UserCaller, refusal: Refusal): UserCaller {
  return { ...caller, origin: caller.origin && refusedOrigin(caller.origin, refusal) };
}

/** Deletes a user: frees the username and ends all sessions and tokens. */
export async function deleteUser(
  db: Database,
  caller: UserCaller,
  reference: string,
): Promise<void> {
  const user = await findVisibleUser(db, caller, reference);
  requireChange(caller, user);
  if (user.id === caller.id) throw new Invalid("You cannot delete yourself.");
  await inTransaction(db, async (trx) => {
    await keepAnOwner(trx, user.id);
    if (!(await lockUserToDelete(trx, user.id))) throw notFound();
    await lockChangeable(trx, caller, user.id);
    if (await ownsWorkspaces(trx, user.id)) {
      throw new Conflict(`User "${user.username}" still has workspaces.`, {
        detail: "Delete the user's workspaces first.",
      });
    }
    await updateUser(trx, user.id, { deleted: true });
    await recordUserChange(trx, caller, user, "delete");
    await endSessionsOf(trx, user.id);
    await leaveOrganizations(trx, user.id);
  });
}

/** Refuses a change that would leave the deployment without an active owner. */
async function keepAnOwner(trx: Transaction<DB>, userId: string): Promise<void> {
  if (!(await isLastOwner(trx, userId))) return;
  throw new Conflict("This user is the last active owner.", {
    detail: "Assign the owner role to another active user first.",
  });
}

/** Locks a user against transfers of workspaces until the transaction ends; false when the user was deleted. */
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

async function ownsWorkspaces(db: Queryable, userId: string): Promise<boolean> {
  const row = await db
    .selectFrom("workspaces")
    .where("owner_id", "=", userId)
    .where("deleted", "=", sql.lit(false))
    .select("id")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
