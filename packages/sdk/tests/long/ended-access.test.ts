import { createUser, deleteUser, suspendUser, updateUserRoles } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { silentLogger, systemClock } from "@slipway/runtime";
import {
  echoText,
  logIn,
  logInAsAdmin,
  openReachedWorkspace,
  openTestDatabase,
  type ReachedWorkspace,
  TcpProxy,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { ApiClient } from "../../src/http.ts";
import { connectWorkspace } from "../../src/workspace.ts";

/*
 * A user whose access ends while their client hides from the server: it has a direct path to the agent, and needs no
 * other peer to continue. The agent must be told.
 */

const password = "correct-horse-battery-42";

const opened = new AsyncDisposableStack();
const limit = (): AbortSignal => AbortSignal.timeout(30_000);
let world: ReachedWorkspace;

beforeAll(async () => {
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  world = opened.use(await openReachedWorkspace({ SLIPWAY_POSTGRES_URL: url }));
});

afterAll(() => opened.disposeAsync());

async function addOwner(username: string) {
  const admin = await logInAsAdmin(world.server.url);
  const email = `${username}@example.com`;
  const body = { username, email, password, login_type: "password" } as const;
  const user = await admin.call(createUser, { body });
  await admin.call(updateUserRoles, { params: { user: user.id }, body: { roles: ["owner"] } });
  const { headers } = await logIn(world.server.url, { email, password });
  return { user, token: headers["Coder-Session-Token"] ?? "" };
}

type Admin = Awaited<ReturnType<typeof logInAsAdmin>>;

it.each([
  ["suspended", ({ id }: User, admin: Admin) => admin.call(suspendUser, { params: { user: id } })],
  ["deleted", ({ id }: User, admin: Admin) => admin.call(deleteUser, { params: { user: id } })],
  [
    "demoted",
    ({ id }: User, admin: Admin) =>
      admin.call(updateUserRoles, { params: { user: id }, body: { roles: [] } }),
  ],
])(
  "a client that was lost and came back reaches nothing soon after its owner is %s",
  async (name, end) => {
    const { user, token } = await addOwner(name);
    let isShut = false;
    await using proxy = await TcpProxy.open(() =>
      isShut ? [] : [{ port: Number(new URL(world.server.url).port) }],
    );
    const cut = (): void => {
      for (const link of proxy.links) link.cut();
    };
    const client = new ApiClient({ serverUrl: proxy.url, token });
    const { agentId, echoPort } = world;
    const options = { client, agentId, disableDirect: false, clock: systemClock };
    await using connection = await connectWorkspace({
      ...options,
      logger: silentLogger,
      signal: limit(),
    });
    const isDirect = () =>
      expect
        .poll(async () => (await connection.ping(limit())).path.kind, { timeout: 20_000 })
        .toBe("direct");
    await isDirect();
    const stream = await connection.dial(echoPort, limit());
    for (const word of ["one", "two"]) {
      cut();
      expect(await echoText(stream, word, limit())).toBe(word);
      await isDirect();
    }
    isShut = true;
    cut();
    expect(await echoText(stream, "hidden", limit())).toBe("hidden");
    await end(user, await logInAsAdmin(world.server.url));
    const isReached = async (withinMs: number): Promise<boolean> => {
      const answer = await echoText(stream, "x", AbortSignal.timeout(withinMs)).catch(() => "");
      return answer !== "";
    };
    await expect.poll(() => isReached(2_000), { timeout: 30_000 }).toBe(false);
    // The slowness of the machine is not the reason.
    expect(await isReached(10_000)).toBe(false);
  },
);
