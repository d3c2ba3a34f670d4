import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { DriverOwner } from "@slipway/drivers";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { readGitKey } from "./git-key-service.ts";

export interface OwnerNeeds {
  readonly db: Queryable;
  readonly secrets: SecretBox;
}

/**
 * Reads a user as a driver that reads templates sees them, without the private half of their key; undefined if they do not
 * exist.
 */
export async function readDriverOwner(
  { db, secrets }: OwnerNeeds,
  { id, organizationId }: Pick<DriverOwner, "id" | "organizationId">,
): Promise<DriverOwner | undefined> {
  const row = await db
    .selectFrom("users")
    .where("id", "=", id)
    .select(["username", "name", "email", "roles", "login_type", "status"])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { username, name, email, roles, login_type: loginType, status } = row;
  const hasKey = id !== prebuildsUserId && status !== "suspended";
  const key = hasKey ? await readGitKey(db, secrets, id) : undefined;
  const gitKey = key && { publicKey: key.public_key, privateKey: "" };
  return { id, username, name, email, roles, organizationId, loginType, gitKey };
}
