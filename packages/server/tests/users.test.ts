import { listMembers, listUserOrganizations } from "@slipway/api/organizations/routes";
import { listUsers } from "@slipway/api/users/routes";
import type { RoleName } from "@slipway/api/users/user";
import { logIn, testAdmin } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Person, testPassword } from "./support/people.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let nextName = 0;

/** Creates a new person with a unique name. */
function somebody(...roles: RoleName[]): Promise<Person> {
  nextName += 1;
  return addPerson(server, `person-${nextName}`, roles);
}

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterAll(() => opened.disposeAsync());

describe("a new user", () => {
  it("is as recorded: dormant, in the default organization, and active once logged in", async () => {
    const params = { user: "me" };
    const [found] = await server.admin.call(listUserOrganizations, { params });
    const organization = found?.id;
    const created = await server.request("POST", "/users", {
      email: "carol@example.com",
      username: "carol",
      name: "",
      password: testPassword,
      login_type: "password",
      user_status: null,
      organization_ids: [organization],
    });
    expect(created).toMatchObject({
      status: 201,
      body: {
        username: "carol",
        email: "carol@example.com",
        last_seen_at: "0001-01-01T00:00:00Z",
        status: "dormant",
        login_type: "password",
        organization_ids: [organization],
        roles: [],
        has_ai_seat: false,
      },
    });
    const carol = await logIn(server.url, { email: "carol@example.com", password: testPassword });
    expect(await server.request("GET", "/users/me", undefined, carol)).toMatchObject({
      status: 200,
      body: { username: "carol", status: "active" },
    });
  });

  it.each([
    [{ username: "a b" }, 400, "username"],
    [{ username: "admin" }, 409, "username"],
    [{ email: testAdmin.email.toUpperCase() }, 409, "email"],
    [{ email: "nobody" }, 400, "email"],
    [{ password: "short" }, 400, "password"],
    [{ login_type: "none" }, 400, "password"],
    [{ login_type: "saml" }, 400, "login_type"],
    [{ user_status: "suspended" }, 400, "user_status"],
    [{ organization_ids: ["11111111-1111-4111-8111-111111111111"] }, 400, "organization_ids"],
  ])("is refused with %j", async (wrong, status, field) => {
    const good = { username: "dora", email: "dora@example.com", password: testPassword };
    const body = { ...good, ...wrong };
    expect(await server.request("POST", "/users", body)).toMatchObject({
      status,
      body: { validations: expect.arrayContaining([expect.objectContaining({ field })]) },
    });
    expect(await server.request("GET", "/users/dora")).toMatchObject({ status: 404 });
  });

  it("may have no password, and then has no log-in", async () => {
    const body = { username: "robot", email: "robot@example.com", login_type: "none" };
    expect(await server.request("POST", "/users", body)).toMatchObject({ status: 201 });
    await expect(
      logIn(server.url, { email: "robot@example.com", password: "" }),
    ).rejects.toMatchObject({ status: 400 });
    await expect(
      logIn(server.url, { email: "robot@example.com", password: "x" }),
    ).rejects.toMatchObject({ status: 401 });
    expect(
      await server.request("PUT", "/users/robot/password", { password: testPassword }),
    ).toMatchObject({ status: 400 });
  });

  it("is made by owners and user admins only", async () => {
    const body = { username: "eve", email: "eve@example.com", password: testPassword };
    for (const roles of [[], ["template-admin"], ["auditor"]] as const) {
      const { client } = await somebody(...roles);
      const answer = await server.request("POST", "/users", body, client);
      expect(answer).toMatchObject({ status: 403, body: { message: "Forbidden." } });
    }
    const { client } = await somebody("user-admin");
    expect(await server.request("POST", "/users", body, client)).toMatchObject({ status: 201 });
  });
});

describe("the list of users", () => {
  it("is searched by words, status and role, and read in pages", async () => {
    for (const name of ["zoe-1", "zoe-2", "zoe-3"]) await addPerson(server, name);
    await server.request("PUT", "/users/zoe-3/status/suspend");
    await server.request("PUT", "/users/zoe-2/roles", { roles: ["auditor", "member"] });
    const names = async (query: Record<string, string>) => {
      const { users, count } = await server.admin.call(listUsers, { query });
      return { names: users.map(({ username }) => username), count };
    };
    expect(await names({ q: "ZOE" })).toEqual({ names: ["zoe-1", "zoe-2", "zoe-3"], count: 3 });
    expect(await names({ q: "zoe", limit: "1", offset: "1" })).toEqual({
      names: ["zoe-2"],
      count: 3,
    });
    expect(await names({ q: "zoe", limit: "0", offset: "2" })).toEqual({
      names: ["zoe-3"],
      count: 3,
    });
    expect(await names({ q: "zoe status:suspended" })).toEqual({ names: ["zoe-3"], count: 1 });
    expect(await names({ q: "zoe role:auditor" })).toEqual({ names: ["zoe-2"], count: 1 });
    expect(await names({ q: "%" })).toEqual({ names: [], count: 0 });
    expect(await server.request("GET", "/users?q=colour:red")).toMatchObject({
      status: 400,
      body: { message: "Invalid user search query." },
    });
    expect(await server.request("GET", "/users?limit=-1")).toMatchObject({ status: 400 });
  });

  it("shows a member only himself", async () => {
    const { user, client } = await somebody();
    expect(await server.request("GET", "/users", undefined, client)).toMatchObject({
      status: 200,
      body: { users: [{ id: user.id }], count: 1 },
    });
    expect(await server.request("GET", "/users/admin", undefined, client)).toMatchObject({
      status: 404,
    });
    const { client: auditor } = await somebody("auditor");
    expect(await server.request("GET", "/users/admin", undefined, auditor)).toMatchObject({
      status: 200,
    });
  });
});

describe("a profile", () => {
  it("is changed by its user and by those who may change the user, to a name that is free", async () => {
    const { user, client } = await somebody();
    const path = `/users/${user.id}/profile`;
    const renamed = { username: `${user.username}-x`, name: "Ann Example" };
    expect(await server.request("PUT", path, renamed, client)).toMatchObject({
      status: 200,
      body: renamed,
    });
    expect(await server.request("PUT", path, { username: "admin" }, client)).toMatchObject({
      status: 409,
    });
    expect(await server.request("PUT", path, { username: "me me" }, client)).toMatchObject({
      status: 400,
    });
    const { client: other } = await somebody("user-admin");
    expect(await server.request("PUT", path, renamed, other)).toMatchObject({ status: 200 });
    expect(
      await server.request("PUT", "/users/admin/profile", { username: "mine" }, other),
    ).toMatchObject({ status: 403 });
  });
});

describe("a password", () => {
  const newPassword = "another-horse-battery-43";

  it("is changed with the old one, which ends every session", async () => {
    const { user, client } = await somebody();
    const path = `/users/${user.id}/password`;
    const set = (old: string, password: string) =>
      server.request("PUT", path, { old_password: old, password }, client);
    expect(await set("wrong", newPassword)).toMatchObject({
      status: 400,
      body: { validations: [{ field: "old_password" }] },
    });
    expect(await set(testPassword, "short")).toMatchObject({ status: 400 });
    expect(await set(testPassword, testPassword)).toMatchObject({
      status: 400,
      body: { validations: [{ field: "password" }] },
    });
    expect(await set(testPassword, newPassword)).toMatchObject({ status: 204, body: "" });
    expect(await server.request("GET", "/users/me", undefined, client)).toMatchObject({
      status: 401,
    });
    await expect(
      logIn(server.url, { email: user.email, password: testPassword }),
    ).rejects.toMatchObject({ status: 401 });
    await logIn(server.url, { email: user.email, password: newPassword });
  });

  it("is reset without the old one by who may change the user, and by nobody to gain a role", async () => {
    const [admin, auditor, member] = [
      await somebody("user-admin"),
      await somebody("auditor"),
      await somebody(),
    ];
    const reset = (user: string, client = admin.client) =>
      server.request("PUT", `/users/${user}/password`, { password: newPassword }, client);
    expect(await reset(member.user.id)).toMatchObject({ status: 204 });
    expect(await reset(auditor.user.id)).toMatchObject({ status: 403 });
    expect(await reset("admin")).toMatchObject({ status: 403 });
    expect(await reset(member.user.id, auditor.client)).toMatchObject({ status: 403 });
    expect(await reset("admin", (await somebody()).client)).toMatchObject({ status: 404 });
  });
});

describe("a suspended user", () => {
  it("is let in nowhere until activated", async () => {
    const { user, client } = await somebody();
    const path = `/users/${user.id}/status`;
    expect(await server.request("PUT", `${path}/suspend`)).toMatchObject({
      status: 200,
      body: { status: "suspended" },
    });
    expect(await server.request("GET", "/users/me", undefined, client)).toMatchObject({
      status: 401,
      body: {
        message:
          'User is not active (status = "suspended"). Contact an admin to reactivate your account.',
      },
    });
    await expect(
      logIn(server.url, { email: user.email, password: testPassword }),
    ).rejects.toMatchObject({ status: 401 });
    expect(await server.request("PUT", `${path}/activate`)).toMatchObject({
      body: { status: "active" },
    });
    expect(await server.request("GET", "/users/me", undefined, client)).toMatchObject({
      status: 200,
    });
  });

  it("is nobody himself, and no owner for a user admin", async () => {
    expect(await server.request("PUT", "/users/me/status/suspend")).toMatchObject({ status: 400 });
    const { client } = await somebody("user-admin");
    expect(
      await server.request("PUT", "/users/admin/status/suspend", undefined, client),
    ).toMatchObject({ status: 403 });
  });
});

describe("roles", () => {
  it("are listed, given and taken by owners", async () => {
    const { user, client } = await somebody();
    const path = `/users/${user.id}/roles`;
    expect(
      await server.request("PUT", path, { roles: ["user-admin", "user-admin", "member"] }),
    ).toMatchObject({
      status: 200,
      body: { roles: [{ name: "user-admin", display_name: "User Admin" }] },
    });
    expect(await server.request("GET", path)).toMatchObject({
      status: 200,
      body: { roles: ["user-admin"], organization_roles: {} },
    });
    expect(await server.request("PUT", path, { roles: ["king"] })).toMatchObject({
      status: 400,
      body: { validations: [{ field: "roles.0" }] },
    });
    // A user admin can elevate neither themselves nor others.
    expect(await server.request("PUT", path, { roles: ["owner"] }, client)).toMatchObject({
      status: 403,
    });
    const list = await server.request("GET", "/users/roles", undefined, client);
    expect(list.body).toContainEqual({
      name: "template-admin",
      display_name: "Template Admin",
      assignable: false,
      built_in: true,
    });
    expect(await server.request("PUT", "/users/me/roles", { roles: [] })).toMatchObject({
      status: 400,
    });
  });
});

describe("a deleted user", () => {
  it("is gone, and leaves the name free", async () => {
    const { user, client } = await somebody();
    expect(await server.request("DELETE", `/users/${user.id}`)).toMatchObject({ status: 200 });
    expect(await server.request("GET", `/users/${user.id}`)).toMatchObject({ status: 404 });
    expect(await server.request("GET", "/users/me", undefined, client)).toMatchObject({
      status: 401,
    });
    await addPerson(server, user.username);
  });

  it("leaves neither a private key nor messages", async () => {
    const { user, client } = await somebody();
    expect(await server.request("GET", "/users/me/gitsshkey", undefined, client)).toMatchObject({
      status: 200,
    });
    const content = { title: "mine", message: "alone" };
    await server.request("POST", "/notifications/custom", { content }, client);
    const left = () =>
      Promise.all(
        (["git_ssh_keys", "inbox_notifications"] as const).map((table) =>
          server.db.selectFrom(table).where("user_id", "=", user.id).select("user_id").execute(),
        ),
      );
    expect(await left()).toEqual([[{ user_id: user.id }], [{ user_id: user.id }]]);
    await server.request("DELETE", `/users/${user.id}`);
    expect(await left()).toEqual([[], []]);
  });

  it("is nobody himself, nor a member for another member", async () => {
    const { client } = await somebody();
    const { user } = await somebody();
    expect(await server.request("DELETE", "/users/me", undefined, client)).toMatchObject({
      status: 403,
    });
    expect(await server.request("DELETE", `/users/${user.id}`, undefined, client)).toMatchObject({
      status: 404,
    });
    expect(await server.request("DELETE", "/users/me")).toMatchObject({ status: 400 });
  });
});

describe("the last active owner", () => {
  it.each([
    ["suspended", "PUT", "status/suspend", undefined],
    ["demoted", "PUT", "roles", { roles: [] }],
    ["deleted", "DELETE", "", undefined],
  ])("stays, though two owners have each other %s at once", async (_what, method, path, body) => {
    const [first, second] = [await somebody("owner"), await somebody("owner")];
    // The administrator steps down, so that these two are the only owners.
    await server.db
      .updateTable("users")
      .set({ status: "suspended" })
      .where("username", "=", "admin")
      .execute();
    try {
      const answers = await Promise.all([
        server.request(method, `/users/${second.user.id}/${path}`, body, first.client),
        server.request(method, `/users/${first.user.id}/${path}`, body, second.client),
      ]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const owners = await server.db
        .selectFrom("users")
        .select("username")
        .where("deleted", "=", false)
        .where("status", "=", "active")
        .where("username", "in", [first.user.username, second.user.username])
        .execute();
      expect(owners.length).toBeGreaterThan(0);
    } finally {
      await server.db
        .updateTable("users")
        .set({ status: "active" })
        .where("username", "=", "admin")
        .execute();
      for (const { user } of [first, second]) {
        await server.request("PUT", `/users/${user.id}/roles`, { roles: [] });
      }
    }
  });
});

describe("text that the database cannot keep", () => {
  it.each([
    ["GET", "/users?q=%00", undefined, "q"],
    ["GET", "/users/%00", undefined, "user"],
    ["GET", "/users/me/keys/tokens/%00", undefined, "name"],
    ["PUT", "/users/me/profile", { username: "admin", name: "\0" }, "name"],
    ["PUT", "/users/me/profile", { username: "admin", name: "\uD800" }, "name"],
    ["POST", "/users/login", { email: "\0", password: "x" }, "email"],
  ])("is refused by %s %s", async (method, path, body, field) => {
    expect(await server.request(method, path, body)).toMatchObject({
      status: 400,
      body: { validations: [{ field }] },
    });
  });
});

describe("members of the organization", () => {
  it("are shown to who may see users, and each to himself", async () => {
    const { user, client } = await somebody();
    const path = `/organizations/default/members`;
    expect(await server.request("GET", `${path}/${user.username}`)).toMatchObject({
      status: 200,
      body: {
        user_id: user.id,
        username: user.username,
        roles: [],
        global_roles: [],
        user_created_at: user.created_at,
      },
    });
    const own = await server.request("GET", `${path}/`, undefined, client);
    expect(own).toMatchObject({ status: 200, body: [{ user_id: user.id }] });
    expect(own.body).toHaveLength(1);
    const params = { organization: "default" };
    const all = await server.admin.call(listMembers, { params });
    expect(all.map(({ username }) => username)).toContain("admin");
    expect(await server.request("GET", `${path}/admin`, undefined, client)).toMatchObject({
      status: 404,
    });
    expect(await server.request("GET", "/users/me/organizations/default")).toMatchObject({
      status: 200,
      body: { is_default: true, default_org_member_roles: ["organization-workspace-access"] },
    });
  });
});
