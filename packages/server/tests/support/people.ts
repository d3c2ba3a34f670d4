import { createUser, updateUserRoles } from "@slipway/api/users/routes";
import type { RoleName, User } from "@slipway/api/users/user";
import { logIn, type openClient, testPasswordHash } from "@slipway/testkit";

import type { OpenServer } from "./open-server.ts";

export const testPassword = "correct-horse-battery-42";

export type Client = ReturnType<typeof openClient>;

/** A user with their own session. */
export interface Person {
  readonly user: User;
  readonly client: Client;
}

/** Creates a user with the shared password, whose hash is cheap. */
export async function addUser({ admin, db }: OpenServer, username: string): Promise<User> {
  const body = { username, email: `${username}@example.com`, login_type: "none" } as const;
  const user = await admin.call(createUser, { body });
  const loginType = "password" as const;
  const change = { login_type: loginType, password_hash: testPasswordHash };
  await db.updateTable("users").set(change).where("id", "=", user.id).execute();
  return { ...user, login_type: loginType };
}

/** Creates a user with these roles and logs them in. */
export async function addPerson(
  server: OpenServer,
  username: string,
  roles: RoleName[] = [],
): Promise<Person> {
  const user = await addUser(server, username);
  if (roles.length > 0) {
    const params = { user: user.id };
    await server.admin.call(updateUserRoles, { params, body: { roles } });
  }
  return { user, client: await logIn(server.url, { email: user.email, password: testPassword }) };
}
