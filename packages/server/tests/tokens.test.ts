import { createToken, getTokenByName, listTokens } from "@slipway/api/users/key-routes";
import { updateUserRoles } from "@slipway/api/users/routes";
import type { CreateTokenRequest } from "@slipway/api/users/token";
import type { RoleName } from "@slipway/api/users/user";
import { openClient } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { storePassword } from "../src/features/users/password-service.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client, type Person } from "./support/people.ts";

const tokens = "/users/me/keys/tokens";
const hourNs = 3600 * 1e9;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ann: Person;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  ann = await addPerson(server, "ann");
});

afterAll(() => opened.disposeAsync());

/** Creates a token of Ann's; resolves to a client with it. */
async function newToken(body: CreateTokenRequest, owner = ann.client): Promise<Client> {
  const { key } = await owner.call(createToken, { params: { user: "me" }, body });
  return openClient(server.url, key);
}

function readToken(name: string, owner = ann.client) {
  return owner.call(getTokenByName, { params: { user: "me", name } });
}

function byName(name: string, owner = ann.client) {
  return server.request("GET", `${tokens}/${name}`, undefined, owner);
}

describe("an API token", () => {
  it("acts as its user and looks as recorded", async () => {
    const token = await newToken({ lifetime: 168 * hourNs, token_name: "t1" });
    expect(await byName("t1", token)).toEqual({
      status: 200,
      type: "application/json; charset=utf-8",
      body: {
        id: expect.stringMatching(/^\w{10}$/),
        user_id: ann.user.id,
        last_used: expect.any(String),
        expires_at: expect.any(String),
        created_at: expect.any(String),
        updated_at: expect.any(String),
        login_type: "token",
        scope: "all",
        scopes: ["coder:all"],
        token_name: "t1",
        lifetime_seconds: 604_800,
        allow_list: ["*:*"],
      },
    });
  });

  it("has a name of its own among those of its user, though it be expired", async () => {
    await newToken({ token_name: "same" });
    const conflict = {
      status: 409,
      body: {
        message: 'A token with name "same" already exists.',
        validations: [
          { field: "name", detail: "This value is already in use and should be unique." },
        ],
      },
    };
    const again = () => server.request("POST", tokens, { token_name: "same" }, ann.client);
    expect(await again()).toMatchObject(conflict);
    const { id } = await readToken("same");
    const path = `/users/me/keys/${id}`;
    const expired = await server.request("PUT", `${path}/expire`, undefined, ann.client);
    expect(expired).toMatchObject({ status: 204, body: "" });
    expect(await again()).toMatchObject(conflict);
    expect(await server.request("DELETE", path, undefined, ann.client)).toMatchObject({
      status: 204,
    });
    await newToken({ token_name: "same" });
    // Other users' names do not matter.
    await newToken({ token_name: "same" }, server.admin);
  });

  it("is recorded as expired once, however often that is requested", async () => {
    await newToken({ token_name: "once" });
    const { id, expires_at: before } = await readToken("once");
    const expire = () =>
      server.request("PUT", `/users/ann/keys/${id}/expire`, undefined, ann.client);
    const answers = await Promise.all([expire(), expire(), expire()]);
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204]);
    const { expires_at: after } = await readToken("once");
    const entries = await server.db
      .selectFrom("audit_log")
      .where("resource_target", "=", "once")
      .where("action", "=", "write")
      .select("diff")
      .execute();
    expect(entries).toEqual([
      { diff: { expires_at: { old: expect.any(String), new: expect.any(String), secret: false } } },
    ]);
    expect(after < before).toBe(true);
  });

  it("ends at its time, however much it is used", async () => {
    const token = await newToken({ token_name: "short", lifetime: 2 * hourNs });
    const expiry = async () => (await readToken("short")).expires_at;
    const before = await expiry();
    await server.db
      .updateTable("api_keys")
      .set({ last_used: null })
      .where("token_name", "=", "short")
      .execute();
    expect(await server.request("GET", "/users/me", undefined, token)).toMatchObject({
      status: 200,
    });
    expect(await expiry()).toBe(before);
    await server.db
      .updateTable("api_keys")
      .set({ expires_at: "2020-01-01T00:00:00Z" })
      .where("token_name", "=", "short")
      .execute();
    expect(await server.request("GET", "/users/me", undefined, token)).toMatchObject({
      status: 401,
      body: { detail: 'API key expired at "2020-01-01T00:00:00Z".' },
    });
  });

  it.each([
    [{ lifetime: 1 }, "lifetime"],
    [{ lifetime: -1 }, "lifetime"],
    [{ lifetime: 876_601 * hourNs }, "lifetime"],
    [{ token_name: "a/b" }, "token_name"],
    [{ token_name: "tokenconfig" }, "token_name"],
    [{ token_name: "x".repeat(65) }, "token_name"],
    [{ scopes: ["workspace:fly"] }, "scopes.0"],
    [{ allow_list: ["workspace:1"] }, "allow_list.0"],
  ])("is refused with %j", async (body, field) => {
    const answer = await server.request("POST", tokens, body, ann.client);
    expect(answer).toMatchObject({
      status: 400,
      body: { validations: expect.arrayContaining([expect.objectContaining({ field })]) },
    });
  });

  it("lives up to 90 days for an owner, and a hundred years for others", async () => {
    const config = (client?: Client) =>
      server.request("GET", `${tokens}/tokenconfig`, undefined, client);
    expect((await config()).body).toEqual({ max_token_lifetime: 90 * 24 * hourNs });
    expect((await config(ann.client)).body).toEqual({
      max_token_lifetime: Number("3155760000000000000"),
    });
    expect(await server.request("POST", tokens, { lifetime: 91 * 24 * hourNs })).toMatchObject({
      status: 400,
      body: {
        validations: [
          {
            field: "lifetime",
            detail:
              "must be between 1 second and 90 days (SLIPWAY_MAX_OWNER_TOKEN_DAYS), found 91 days",
          },
        ],
      },
    });
    await newToken({ token_name: "century", lifetime: 876_600 * hourNs });
  });

  it("ends when the present limit of its user says, whatever it was made with", async () => {
    const { user, client } = await addPerson(server, "eve");
    const token = await newToken({ token_name: "old", lifetime: 10_000 * hourNs }, client);
    const madeAt = new Date(Date.now() - 91 * 86_400_000).toISOString();
    await server.db
      .updateTable("api_keys")
      .set({ created_at: madeAt })
      .where("user_id", "=", user.id)
      .where("login_type", "=", "token")
      .execute();
    const status = async () => (await server.request("GET", "/users/me", undefined, token)).status;
    const setRoles = (roles: RoleName[]) =>
      server.admin.call(updateUserRoles, { params: { user: user.id }, body: { roles } });
    expect(await status()).toBe(200);
    await setRoles(["owner"]);
    expect(await status()).toBe(401);
    const shown = await readToken("old", client);
    expect(Date.parse(shown.expires_at)).toBe(Date.parse(madeAt) + 90 * 86_400_000);
    const list = (query: object) => client.call(listTokens, { params: { user: "me" }, query });
    expect(await list({})).toEqual([]);
    expect(await list({ include_expired: "true" })).toMatchObject([{ token_name: "old" }]);
    await setRoles([]);
    expect(await status()).toBe(200);
  });

  it("makes none that outlives it, and no session that is extended", async () => {
    const token = await newToken({ token_name: "parent", lifetime: 2 * hourNs });
    const make = (body: object) => server.request("POST", tokens, body, token);
    expect(await make({ lifetime: 3 * hourNs })).toMatchObject({
      status: 400,
      body: {
        validations: [
          {
            field: "lifetime",
            detail: expect.stringContaining("when the token of this request expires"),
          },
        ],
      },
    });
    expect(await make({ token_name: "child" })).toMatchObject({ status: 201 });
    const end = async (name: string) => Date.parse((await readToken(name)).expires_at);
    expect(await end("child")).toBeLessThanOrEqual(await end("parent"));
    const config = await server.request("GET", `${tokens}/tokenconfig`, undefined, token);
    expect(config.body).toEqual({ max_token_lifetime: expect.any(Number) });
    expect(config.body).toHaveProperty(
      "max_token_lifetime",
      expect.toSatisfy((ns: number) => ns <= 2 * hourNs),
    );
    const { body, status } = await server.request("POST", "/users/me/keys", undefined, token);
    expect(status).toBe(201);
    const key = String(Reflect.get(Object(body), "key"));
    expect(key).not.toBe(token.headers["Coder-Session-Token"]);
    const made = await server.request(
      "GET",
      `/users/me/keys/${key.split("-")[0]}`,
      undefined,
      token,
    );
    expect(made.body).toMatchObject({ login_type: "token", scopes: ["coder:all"] });
    expect(Date.parse(String(Reflect.get(Object(made.body), "expires_at")))).toBeLessThanOrEqual(
      await end("parent"),
    );
  });

  it("logs a stock command in, which asks for a key of its own and ends that alone at its logout", async () => {
    const parent = await newToken({ token_name: "ci" });
    const { body } = await server.request("POST", "/users/me/keys", undefined, parent);
    const client = { headers: { "Coder-Session-Token": String(Reflect.get(Object(body), "key")) } };
    expect(await server.request("GET", "/users/me", undefined, client)).toMatchObject({
      status: 200,
      body: { username: "ann" },
    });
    expect(await server.request("POST", "/users/logout", undefined, client)).toMatchObject({
      status: 200,
    });
    const statusOf = async (one: Pick<Client, "headers">): Promise<number> =>
      (await server.request("GET", "/users/me", undefined, one)).status;
    expect([await statusOf(client), await statusOf(parent)]).toEqual([401, 200]);
  });

  it("makes room for the next login of a program when the keys of earlier ones have expired", async () => {
    const parent = await newToken({ token_name: "often" });
    const logIn = () => server.request("POST", "/users/me/keys", undefined, parent);
    await logIn();
    const kept = await newToken({ token_name: "kept" });
    await server.db
      .updateTable("api_keys")
      .set({ expires_at: new Date(0).toISOString() })
      .where((eb) => eb.or([eb("token_name", "like", "login-%"), eb("token_name", "=", "kept")]))
      .execute();
    const countLeft = async () => {
      const keys = server.db.selectFrom("api_keys").where("token_name", "like", "login-%");
      return (await keys.select("id").execute()).length;
    };
    expect(await logIn()).toMatchObject({ status: 201 });
    expect(await countLeft()).toBe(1);
    expect(await logIn()).toMatchObject({ status: 201 });
    expect(await countLeft()).toBe(2);
    // An expired token of another name keeps it.
    expect(await server.request("GET", "/users/me", undefined, kept)).toMatchObject({
      status: 401,
    });
    expect(await byName("kept")).toMatchObject({ status: 200 });
  });

  it("is one of at most a thousand of its user, of which sessions are none", async () => {
    const { user, client } = await addPerson(server, "hal");
    await sql`insert into api_keys
        (id, hashed_secret, user_id, login_type, token_name, lifetime_seconds, expires_at)
      select 'many' || lpad(n::text, 6, '0'), '', ${user.id}, 'token', 'many-' || n, 60, now() from generate_series(1, 999) n`.execute(
      server.db,
    );
    const create = () => server.request("POST", tokens, {}, client);
    expect(await create()).toMatchObject({ status: 201 });
    expect(await create()).toMatchObject({ status: 409 });
    expect(await server.request("POST", "/users/me/keys", undefined, client)).toMatchObject({
      status: 201,
    });
  });

  it("is not made by a session that is ended meanwhile", async () => {
    const { user, client } = await addPerson(server, "fay");
    const by = { id: user.id, origin: undefined };
    await using change = await holdOpen(server.db, (trx) =>
      storePassword(trx, by, user, "another"),
    );
    const late = Promise.all([
      server.request("POST", tokens, { token_name: "late" }, client),
      server.request("POST", "/users/me/keys", undefined, client),
    ]);
    await waitForBlocked(server.db, 2);
    await change.commit();
    expect((await late).map(({ status }) => status)).toEqual([401, 401]);
    const kept = server.db.selectFrom("api_keys").where("user_id", "=", user.id).select("id");
    expect(await kept.execute()).toEqual([]);
  });

  it("that may only reach apps does not open the API", async () => {
    const token = await newToken({ token_name: "apps", scope: "application_connect" });
    expect(await byName("apps")).toMatchObject({
      body: { scope: "application_connect", scopes: ["coder:application_connect"] },
    });
    expect(await server.request("GET", "/users/me", undefined, token)).toMatchObject({
      status: 403,
    });
    expect(await server.request("POST", tokens, {}, token)).toMatchObject({ status: 403 });
  });

  it("is seen by its user and by owners, and by nobody else", async () => {
    const { client: bob } = await addPerson(server, "bob", ["user-admin"]);
    await newToken({ token_name: "mine" });
    const { id } = await readToken("mine");
    for (const [method, path] of [
      ["GET", "/users/ann/keys/tokens"],
      ["GET", "/users/ann/keys/tokens/mine"],
      ["GET", `/users/ann/keys/${id}`],
      ["DELETE", `/users/ann/keys/${id}`],
      ["DELETE", `/users/me/keys/${id}`],
      ["PUT", `/users/ann/keys/${id}/expire`],
      ["POST", "/users/ann/keys/tokens"],
      ["POST", "/users/ann/keys"],
      ["GET", "/users/ann/keys/tokens/tokenconfig"],
    ] as const) {
      const body = method === "POST" ? {} : undefined;
      expect(await server.request(method, path, body, bob)).toMatchObject({ status: 404 });
    }
    expect(await server.request("GET", `/users/ann/keys/${id}`)).toMatchObject({
      status: 200,
      body: { token_name: "mine" },
    });
  });

  it("is listed with its user's name, all of them for owners who ask", async () => {
    const { user, client } = await addPerson(server, "cleo");
    await newToken({ token_name: "old" }, client);
    await newToken({ token_name: "new" }, client);
    const { id } = await readToken("old", client);
    await server.request("PUT", `/users/me/keys/${id}/expire`, undefined, client);
    const list = async (all: string, expired: string, as = client) => {
      const query = { include_all: all, include_expired: expired };
      const found = await as.call(listTokens, { params: { user: "me" }, query });
      return found
        .filter(({ username }) => username === user.username)
        .map(({ token_name: name }) => name);
    };
    expect(await list("false", "false")).toEqual(["new"]);
    expect(await list("true", "true")).toEqual(["new", "old"]);
    expect(await list("true", "false", server.admin)).toEqual(["new"]);
    expect(await list("false", "true", server.admin)).toEqual([]);
  });
});

describe("a route of agents that workspace proxies may call too", () => {
  const path = "/workspaceagents/98ed5cad-6428-4157-b092-eaf02cfa1fec";

  async function ask(headers: Record<string, string>) {
    const response = await fetch(`${server.url}/api/v2${path}`, { headers });
    const challenge = response.headers.get("www-authenticate");
    return { status: response.status, body: await response.json(), challenge };
  }

  it.each([
    ["no token", {}],
    ["an agent's token", { "Coder-Session-Token": "98ed5cad-6428-4157-b092-eaf02cfa1fec" }],
    ["an unknown key", { "Coder-Session-Token": "AAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB" }],
  ])("refuses %s in its own words", async (_what, headers) => {
    expect(await ask(headers)).toEqual({
      status: 401,
      body: { message: "API key or external proxy authentication required, but none provided" },
      challenge: null,
    });
  });

  it("knows no proxy, and takes a key or a proxy's token, not both", async () => {
    const proxy = { "Coder-External-Proxy-Token": "x" };
    expect(await ask(proxy)).toMatchObject({
      status: 401,
      body: { message: "Invalid external proxy token", detail: "Proxy not found." },
    });
    expect(await ask({ ...ann.client.headers, ...proxy })).toMatchObject({ status: 400 });
    expect(await ask({ ...ann.client.headers })).toMatchObject({ status: 404 });
  });

  it("wakes no dormant user, as other routes do", async () => {
    const { user, client } = await addPerson(server, "dan");
    await server.db
      .updateTable("users")
      .set({ status: "dormant" })
      .where("id", "=", user.id)
      .execute();
    expect(await ask({ ...client.headers })).toMatchObject({
      status: 401,
      body: { message: expect.stringContaining('status = "dormant"') },
    });
    expect(await server.request("GET", "/users/me", undefined, client)).toMatchObject({
      body: { status: "active" },
    });
    expect(await ask({ ...client.headers })).toMatchObject({ status: 404 });
  });
});
