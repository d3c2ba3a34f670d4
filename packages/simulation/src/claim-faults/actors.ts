import { createUser } from "@slipway/api/users/routes";
import type { ApiClient } from "@slipway/sdk/http";
import { logIn, logInAsAdmin } from "@slipway/testkit";

/** A user who claims. */
export interface Actor {
  readonly name: string;
  readonly client: ApiClient;
}

const password = "correct-horse-battery-42";

/** Creates the users, each with their own client, and the administrator's client. */
export async function openActors(
  serverUrl: string,
  count: number,
): Promise<{ readonly admin: ApiClient; readonly actors: readonly Actor[] }> {
  const admin = await logInAsAdmin(serverUrl);
  const actors: Actor[] = [];
  for (let number = 1; number <= count; number += 1) {
    const name = `user${number}`;
    const email = `${name}@example.com`;
    await admin.call(createUser, { body: { username: name, email, password } });
    actors.push({ name, client: await logIn(serverUrl, { email, password }) });
  }
  return { admin, actors };
}
