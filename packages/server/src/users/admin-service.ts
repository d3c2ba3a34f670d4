import { randomBytes } from "node:crypto";

import type { Database } from "../db/database.ts";
import { fullGrant, type UserCaller } from "../http/caller.ts";
import { HttpError } from "../http/errors.ts";
import { selectFirstOwner } from "./queries.ts";
import { createFirstUser, hasUsers } from "./service.ts";

/** The administrator to be made when there is no user. */
export interface AdminInput {
  readonly username: string;
  readonly email: string;
  /** Undefined: one is made. */
  readonly password: string | undefined;
}

export interface CreatedAdmin {
  readonly username: string;
  readonly email: string;
  /** What was made up, to be shown once; undefined when it was given. */
  readonly madePassword: string | undefined;
}

/** Makes the administrator of a new deployment; undefined when there are users already. */
export async function ensureAdmin(
  db: Database,
  input: AdminInput,
): Promise<CreatedAdmin | undefined> {
  if (await hasUsers(db)) return undefined;
  const { username, email } = input;
  const madePassword =
    input.password === undefined ? randomBytes(15).toString("base64url") : undefined;
  const password = input.password ?? madePassword ?? "";
  try {
    await createFirstUser(db, { username, email, name: "", password });
  } catch (error) {
    // Another replica was faster.
    if (error instanceof HttpError && error.status === 409) return undefined;
    throw error;
  }
  return { username, email, madePassword };
}

/** The oldest user with the role owner, as whom the server acts for itself. */
export async function readFirstOwner(db: Database): Promise<UserCaller | undefined> {
  const row = await selectFirstOwner(db);
  return row === undefined ? undefined : { ...row, keyId: "", grant: fullGrant, origin: undefined };
}
