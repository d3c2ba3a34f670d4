import { WebBrowser } from "@slipway/testkit/oauth";
import { afterAll, beforeAll, expect, it } from "vitest";

import { logInAtAcme, type LogInWorld, openLogInWorld } from "./support/login-world.ts";

let world: LogInWorld;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  world = opened.use(
    await openLogInWorld({
      ALLOWED_DOMAINS: "example.com",
      REQUIRE_MAPPED_ROLE: "true",
      ROLE_MAPPING: JSON.stringify({
        admins: "owner",
        tools: ["template-admin", "auditor"],
        staff: "member",
      }),
    }),
  );
});
afterAll(() => opened.disposeAsync());

/** Logs a person in whose groups these are; resolves to the reason of a refusal, if any. */
async function logIn(
  login: string,
  groups: readonly string[],
  browser = new WebBrowser(),
): Promise<string | null> {
  world.addPerson(login, { groups });
  const { url } = await logInAtAcme(world.server, browser, login);
  return new URL(url).searchParams.get("error");
}

async function rolesOf(username: string): Promise<unknown> {
  const { body } = await world.server.request("GET", `/users/${username}/roles`);
  return Object(body).roles;
}

/** Lists the changes of roles of a user in the audit trail, newest first. */
async function roleChanges(username: string): Promise<readonly unknown[]> {
  const entries = await world.server.db
    .selectFrom("audit_log")
    .where("resource_type", "=", "user")
    .where("resource_target", "=", username)
    .orderBy("created_at", "desc")
    .select("diff")
    .execute();
  return entries.map(({ diff }) => Object(diff).roles).filter((change) => change !== undefined);
}

it("gives and takes roles at each login, and records both", async () => {
  expect(await logIn("ada", ["staff"])).toBeNull();
  expect(await rolesOf("ada")).toEqual([]);
  await logIn("ada", ["tools", "other"]);
  expect(await rolesOf("ada")).toEqual(["template-admin", "auditor"]);
  // Also those that an administrator assigned.
  await world.server.request("PUT", "/users/ada/roles", { roles: ["user-admin", "auditor"] });
  await logIn("ada", ["staff"]);
  expect(await rolesOf("ada")).toEqual([]);
  expect(await roleChanges("ada")).toEqual([
    { old: ["user-admin", "auditor"], new: [], secret: false },
    { old: ["template-admin", "auditor"], new: ["user-admin", "auditor"], secret: false },
    { old: [], new: ["template-admin", "auditor"], secret: false },
  ]);
});

it("ends the sessions that others made for a person who gets a role", async () => {
  const { server } = world;
  await logIn("ivy", ["staff"]);
  const { body } = await server.request("POST", "/users/ivy/keys");
  const borrowed = { headers: { "Coder-Session-Token": String(Object(body).key) } };
  const ask = async () => (await server.request("GET", "/users/me", undefined, borrowed)).status;
  expect(await ask()).toBe(200);
  await logIn("ivy", ["tools"]);
  expect(await ask()).toBe(401);
});

it("ends the sessions of a person whose last role is gone", async () => {
  const browser = new WebBrowser();
  await logIn("bob", ["staff"], browser);
  expect(await world.whoIs(browser)).toBe("bob");
  expect(await logIn("bob", ["other"])).toBe("no-role");
  expect(await world.whoIs(browser)).toBe(401);
  expect(await logIn("carol", [])).toBe("no-role");
  expect((await world.server.request("GET", "/users/carol")).status).toBe(404);
});

it("refuses other domains", async () => {
  world.addPerson("dan", { groups: ["admins"], email: "dan@example.org" });
  const { url, text } = await logInAtAcme(world.server, new WebBrowser(), "dan");
  expect(new URL(url).searchParams.get("error")).toBe("domain");
  expect(text).toContain("Accounts with your email domain are not allowed here.");
});

it("never locks out the last owner", async () => {
  await logIn("eve", ["admins"]);
  expect(await rolesOf("eve")).toEqual(["owner"]);
  await logIn("eve", ["staff"]);
  expect(await rolesOf("eve")).toEqual([]);
  await logIn("eve", ["admins"]);
  const owners = world.server.db.updateTable("users").where("username", "=", "admin");
  await owners.set({ roles: [] }).execute();
  await logIn("eve", ["tools"]);
  const eve = world.server.db.selectFrom("users").where("username", "=", "eve").select("roles");
  expect(await eve.executeTakeFirst()).toEqual({ roles: ["owner", "template-admin", "auditor"] });
  await owners.set({ roles: ["owner"] }).execute();
  await logIn("eve", ["tools"]);
  expect(await eve.executeTakeFirst()).toEqual({ roles: ["template-admin", "auditor"] });
});

it("records refused people once, with the reason", async () => {
  const known = ["gus", "hal"];
  for (const login of known) expect(await logIn(login, ["staff"])).toBeNull();
  for (let count = 0; count < 3; count += 1) {
    for (const login of ["fay", ...known]) expect(await logIn(login, ["other"])).toBe("no-role");
  }
  const entries = world.server.db
    .selectFrom("audit_log")
    .leftJoin("users", "users.id", "audit_log.user_id")
    .where("status_code", "=", 403)
    .where("action", "=", "login")
    .select(["username", "additional_fields"]);
  const refused = async () =>
    (await entries.execute()).filter(
      ({ username }) => username === null || known.includes(username),
    );
  const fields = expect.objectContaining({ login_provider: "acme", reason: "no-role" });
  const one = (username: string) => ({ username, additional_fields: fields });
  await expect.poll(refused).toEqual(expect.arrayContaining(known.map(one)));
  expect((await refused()).filter(({ username }) => username !== null)).toHaveLength(2);
  await expect.poll(refused).toContainEqual({ username: null, additional_fields: fields });
});
