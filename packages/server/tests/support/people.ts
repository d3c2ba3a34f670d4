import { createUser, type RoleName, updateUserRoles, type User } from "@slipway/api";
import { logIn, type openClient } from "@slipway/testkit";

import type { OpenServer } from "./open-server.ts";

export const testPassword = "correct-horse-battery-42";

export type Client = ReturnType<typeof openClient>;

/** A user with their own session. */
export interface Person {
  readonly user: User;
  readonly client: Client;
}

/** Creates a user with these roles and logs them in. */
export async function addPerson(
  server: OpenServer,
  username: string,
  roles: RoleName[] = [],
): Promise<Person> {
  const email = `${username}@example.com`;
  const body = { username, email, password: testPassword };
  const user = await server.admin.call(createUser, { body });
  if (roles.length > 0) {
    const params = { user: user.id };
    await server.admin.call(updateUserRoles, { params, body: { roles } });
  }
  return { user, client: await logIn(server.url, { email, password: testPassword }) };
}
