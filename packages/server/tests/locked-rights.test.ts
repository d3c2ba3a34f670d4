import { createToken, listTokens } from "@slipway/api/users/key-routes";
import { getUserRoles } from "@slipway/api/users/routes";
import type { RoleName } from "@slipway/api/users/user";
import { logIn } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client, type Person, testPassword } from "./support/people.ts";

/* Rights that change between the check of a request and its write, for example while a password is hashed. */

let server: OpenServer;
let nextName = 0;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
});

afterAll(() => server[Symbol.asyncDispose]());

function somebody(...roles: RoleName[]): Promise<Person> {
  nextName += 1;
  return addPerson(server, `person-${nextName}`, roles);
}

/**
 * Sends a request that waits for the subject's row, while the subject's and the caller's roles change to these;
 * resolves to its status.
 */
async function during(
  changes: readonly (readonly [Person, readonly string[]])[],
  subject: Person,
  send: () => Promise<{ readonly status: number }>,
): Promise<number> {
  await using changing = await holdOpen(server.db, async (trx) => {
    await trx
      .selectFrom("users")
      .where("id", "=", subject.user.id)
      .select("id")
      .forUpdate()
      .execute();
    for (const [{ user }, roles] of changes) {
      await trx
        .updateTable("users")
        .set({ roles: [...roles] })
        .where("id", "=", user.id)
        .execute();
    }
  });
  const answer = send();
  await waitForBlocked(server.db);
  await changing.commit();
  return (await answer).status;
}

const newPassword = "another-horse-battery-43";

type Change = readonly [name: string, method: string, path: string, body: object | undefined];

const changes: readonly Change[] = [
  ["a password", "PUT", "/password", { password: newPassword }],
  ["a status", "PUT", "/status/suspend", undefined],
  ["a profile", "PUT", "/profile", { username: "renamed", name: "Renamed" }],
  ["a deletion", "DELETE", "", undefined],
];

describe("a user admin's change of a user", () => {
  it.each(changes)("is refused if the user gets a role meanwhile: %s", async (_name, ...sent) => {
    const [method, path, body] = sent;
    const [admin, subject] = [await somebody("user-admin"), await somebody()];
    const send = () =>
      server.request(method, `/users/${subject.user.id}${path}`, body, admin.client);
    expect(await during([[subject, ["owner"]]], subject, send)).toBe(403);
    const { email, username } = subject.user;
    await logIn(server.url, { email, password: testPassword });
    expect(await server.request("GET", `/users/${subject.user.id}`)).toMatchObject({
      status: 200,
      body: { username, status: "active" },
    });
  });

  it.each(changes)("is refused if the admin loses the role meanwhile: %s", async (_n, ...sent) => {
    const [method, path, body] = sent;
    const [admin, subject] = [await somebody("user-admin"), await somebody()];
    const send = () =>
      server.request(method, `/users/${subject.user.id}${path}`, body, admin.client);
    expect(await during([[admin, []]], subject, send)).toBe(403);
    await logIn(server.url, { email: subject.user.email, password: testPassword });
  });

  it("is carried out otherwise", async () => {
    const [admin, subject] = [await somebody("user-admin"), await somebody()];
    const path = `/users/${subject.user.id}/password`;
    const send = () => server.request("PUT", path, { password: newPassword }, admin.client);
    expect(await during([], subject, send)).toBe(204);
    await logIn(server.url, { email: subject.user.email, password: newPassword });
  });
});

describe("a former owner", () => {
  it("assigns no roles", async () => {
    const [owner, subject] = [await somebody("owner"), await somebody()];
    const send = () =>
      server.request("PUT", `/users/${subject.user.id}/roles`, { roles: ["owner"] }, owner.client);
    expect(await during([[owner, []]], subject, send)).toBe(403);
  });

  it.each(["/keys", "/keys/tokens"])("makes no keys of others at %s", async (path) => {
    const [owner, subject] = [await somebody("owner"), await somebody()];
    const send = () => server.request("POST", `/users/${subject.user.id}${path}`, {}, owner.client);
    expect(await during([[owner, []]], subject, send)).toBe(404);
  });
});

describe("a key that another request deletes", () => {
  it.each([
    ["DELETE", ""],
    ["PUT", "/expire"],
  ])("is not there for %s %s, and is not recorded", async (method, path) => {
    const { user, client } = await somebody();
    const token = { params: { user: "me" }, body: { token_name: user.username } };
    const [id = ""] = (await client.call(createToken, token)).key.split("-", 1);
    await using deleting = await holdOpen(server.db, (trx) =>
      trx.deleteFrom("api_keys").where("id", "=", id).execute(),
    );
    const answer = server.request(method, `/users/me/keys/${id}${path}`, undefined, client);
    await waitForBlocked(server.db);
    await deleting.commit();
    expect(await answer).toMatchObject({ status: 404 });
    const search = `q=resource_type:api_key+resource_target:${user.username}`;
    expect(await server.request("GET", `/audit?${search}`)).toMatchObject({
      body: { audit_logs: [{ action: "create" }] },
    });
  });
});

describe("roles that the caller expects", () => {
  const put = (subject: Person, roles: string[], expected: string[]) =>
    server.request("PUT", `/users/${subject.user.id}/roles`, { roles, expected_roles: expected });
  const rolesOf = async ({ user }: Person): Promise<readonly string[]> => {
    const { roles } = await server.admin.call(getUserRoles, { params: { user: user.id } });
    return roles.toSorted();
  };

  it("are replaced only if the user has them", async () => {
    const subject = await somebody();
    expect(await put(subject, ["auditor", "user-admin"], [])).toMatchObject({ status: 200 });
    // The same again, as after a lost answer.
    expect(await put(subject, ["user-admin", "auditor"], [])).toMatchObject({ status: 200 });
    for (const others of [[], ["auditor"], ["auditor", "owner"], ["auditor", "auditor"]]) {
      expect(await put(subject, ["template-admin"], others)).toMatchObject({
        status: 409,
        body: { message: expect.stringContaining("have been changed in the meantime") },
      });
    }
    expect(await rolesOf(subject)).toEqual(["auditor", "user-admin"]);
    expect(await put(subject, [], ["user-admin", "auditor"])).toMatchObject({ status: 200 });
  });

  it("are those at the time of the write", async () => {
    const subject = await somebody("auditor");
    const send = () => put(subject, ["auditor", "user-admin"], ["auditor"]);
    expect(await during([[subject, ["template-admin"]]], subject, send)).toBe(409);
    expect(await rolesOf(subject)).toEqual(["template-admin"]);
  });
});

describe("a role that is granted", () => {
  const tokenOf = async (by: Client, { user }: Person, name: string): Promise<void> => {
    await by.call(createToken, { params: { user: user.id }, body: { token_name: name } });
  };
  const namesOf = async ({ user }: Person): Promise<string[]> => {
    const tokens = await server.admin.call(listTokens, { params: { user: user.id }, query: {} });
    return tokens.map(({ token_name: name }) => name);
  };

  it("ends the sessions and tokens that others made for the user, and only those", async () => {
    const subject = await somebody();
    const bystander = await somebody();
    await tokenOf(server.admin, bystander, "of-a-bystander");
    await tokenOf(server.admin, subject, "of-an-owner");
    await tokenOf(subject.client, subject, "own");
    const made = await server.request("POST", `/users/${subject.user.id}/keys`, {});
    const path = `/users/${subject.user.id}/roles`;
    await server.request("PUT", path, { roles: ["auditor"] });
    expect(await namesOf(subject)).toEqual(["own"]);
    expect(await namesOf(bystander)).toEqual(["of-a-bystander"]);
    const keys = await server.db
      .selectFrom("api_keys")
      .where("user_id", "=", subject.user.id)
      .where("created_by", "is not", null)
      .select("id")
      .execute();
    expect([made.status, keys]).toEqual([201, []]);
    expect(await server.request("GET", "/users/me", undefined, subject.client)).toMatchObject({
      status: 200,
    });
    await tokenOf(server.admin, subject, "later");
    await server.request("PUT", path, { roles: [] });
    expect((await namesOf(subject)).toSorted()).toEqual(["later", "own"]);
  });
});
