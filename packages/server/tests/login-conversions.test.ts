import { WebBrowser } from "@slipway/testkit/oauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runResetPassword } from "../src/main/reset-password.ts";
import { logInAtAcme, type LogInWorld, openLogInWorld } from "./support/login-world.ts";
import type { Answer } from "./support/open-server.ts";
import { addPerson, type Client, testPassword } from "./support/people.ts";

let world: LogInWorld;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  world = opened.use(await openLogInWorld({ ALLOWED_DOMAINS: "example.com, example.org" }));
});
afterAll(() => opened.disposeAsync());

/** A user with a password, and a browser with their session. */
interface PasswordUser {
  readonly id: string;
  readonly client: Client;
  readonly browser: WebBrowser;
}

async function addPasswordUser(name: string): Promise<PasswordUser> {
  const { user, client } = await addPerson(world.server, name);
  return { id: user.id, client, browser: browserOf(client) };
}

function browserOf(client: Client): WebBrowser {
  const browser = new WebBrowser();
  const token = client.headers["Coder-Session-Token"] ?? "";
  browser.setCookie(world.server.url, "coder_session_token", token);
  return browser;
}

const begin = (client: Client, user = "me", password = testPassword): Promise<Answer> =>
  world.server.request(
    "POST",
    `/users/${user}/convert-login`,
    { to_type: "oidc", password },
    client,
  );

async function stateOf(client: Client): Promise<string> {
  const { status, body } = await begin(client);
  expect(status).toBe(201);
  return String(Object(body).state_string);
}

/** Continues at the provider as a person there; resolves to the reason of a refusal. */
async function continueAs(
  browser: WebBrowser,
  login: string,
  state: string,
): Promise<string | null> {
  const query = { oidc_merge_state: state };
  const { url } = await logInAtAcme(world.server, browser, login, { query });
  return new URL(url).searchParams.get("error");
}

async function loginTypeOf(name: string): Promise<unknown> {
  const { body } = await world.server.request("GET", `/users/${name}`);
  return Object(body).login_type;
}

const logIn = (email: string, password = testPassword): Promise<Answer> =>
  world.server.request("POST", "/users/login", { email, password }, { headers: {} });

describe("the conversion of an account", () => {
  it("replaces the password by a person at the provider, whatever their address", async () => {
    const { client, browser } = await addPasswordUser("ann");
    const other = await logIn("ann@example.com");
    const made = await world.server.request("POST", "/users/me/keys/tokens", {}, client);
    world.addPerson("ann-at-acme", { email: "ann@example.org", name: "Ann Acme" });
    const answer = await begin(client);
    expect(answer).toMatchObject({ status: 201, body: { to_type: "oidc" } });
    const inMs = Date.parse(Object(answer.body).expires_at) - Date.now();
    // The server's clock and ours may be adjusted meanwhile.
    expect(Math.abs(inMs - 300_000)).toBeLessThan(60_000);
    const state = String(Object(answer.body).state_string);
    expect(await continueAs(browser, "ann-at-acme", state)).toBeNull();
    expect(await world.whoIs(browser)).toBe("ann");
    expect(await world.server.request("GET", "/users/ann")).toMatchObject({
      body: { login_type: "oidc", email: "ann@example.org", name: "Ann Acme" },
    });
    expect((await logIn("ann@example.org")).status).toBe(401);
    const headersOf = (token: unknown) => ({ headers: { "Coder-Session-Token": String(token) } });
    const who = (token: unknown) =>
      world.server.request("GET", "/users/me", undefined, headersOf(token));
    expect((await who(Object(other.body).session_token)).status).toBe(401);
    expect((await who(Object(made.body).key)).status).toBe(200);
    const again = new WebBrowser();
    await logInAtAcme(world.server, again, "ann-at-acme");
    expect(await world.whoIs(again)).toBe("ann");
    const change = { login_type: { old: "password", new: "oidc" } };
    const trail = await world.server.request("GET", "/audit?q=resource_target:ann action:write");
    expect(trail.body).toMatchObject({ audit_logs: [{}, { diff: change }] });
  });

  it("is begun as pages of the original begin it", async () => {
    const { client, browser } = await addPasswordUser("bea");
    world.addPerson("bea");
    const query = new URLSearchParams({ oidc_merge_state: await stateOf(client), redirect: "/x" });
    const address = `${world.server.url}/api/v2/users/oidc/callback?${query.toString()}`;
    const form = await browser.open(address);
    const page = await browser.submit(form, { login: "bea", password: "any" });
    await browser.submit(page, {});
    expect(await loginTypeOf("bea")).toBe("oidc");
  });

  it("needs the password, and no more than some attempts", async () => {
    const { client } = await addPasswordUser("cid");
    const wrong = await begin(client, "me", "wrong");
    expect(wrong).toMatchObject({
      status: 400,
      body: { validations: [{ field: "password", detail: "is incorrect" }] },
    });
    const statuses: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      statuses.push((await begin(client, "me", "wrong")).status);
    }
    expect(statuses.at(-1)).toBe(429);
    // They count for logins, too.
    const logIns: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      logIns.push((await logIn("cid@example.com", "wrong")).status);
    }
    expect(logIns).toContain(429);
  });

  it("is for the user alone, in a session of their own", async () => {
    const { client } = await addPasswordUser("dan");
    expect((await world.server.request("POST", "/users/dan/convert-login", body)).status).toBe(403);
    const token = await world.server.request("POST", "/users/me/keys/tokens", {}, client);
    const byOwner = await world.server.request("POST", "/users/dan/keys");
    for (const { body: made } of [token, byOwner]) {
      const headers = { "Coder-Session-Token": String(Object(made).key) };
      const answer = await world.server.request("POST", "/users/me/convert-login", body, {
        headers,
      });
      expect(answer.status).toBe(403);
    }
  });

  it("gives nobody a person who has another account", async () => {
    world.addPerson("eve");
    await logInAtAcme(world.server, new WebBrowser(), "eve");
    const { client, browser } = await addPasswordUser("eva");
    expect(await continueAs(browser, "eve", await stateOf(client))).toBe("identity-taken");
    expect(await world.whoIs(browser)).toBe("eva");
    expect(await loginTypeOf("eva")).toBe("password");
  });

  it("follows the rules of the provider", async () => {
    world.addPerson("fay", { email: "fay@elsewhere.example" });
    const { client, browser } = await addPasswordUser("fay");
    expect(await continueAs(browser, "fay", await stateOf(client))).toBe("domain");
    expect(await loginTypeOf("fay")).toBe("password");
  });

  it("is for nobody who has no password", async () => {
    world.addPerson("gil");
    const browser = new WebBrowser();
    await logInAtAcme(world.server, browser, "gil");
    const token = browser.cookie(world.server.url, "coder_session_token") ?? "";
    const headers = { "Coder-Session-Token": token };
    const path = "/users/me/convert-login";
    expect((await world.server.request("POST", path, body, { headers })).status).toBe(400);
  });
});

const body = { to_type: "oidc", password: testPassword };

describe("the state of a conversion", () => {
  it("is of use to no other session, not even of the same user", async () => {
    world.addPerson("hal");
    const { client } = await addPasswordUser("hal");
    const state = await stateOf(client);
    const mallory = await addPasswordUser("mallory");
    const second = await logIn("hal@example.com");
    const own = new WebBrowser();
    const token = String(Object(second.body).session_token);
    own.setCookie(world.server.url, "coder_session_token", token);
    for (const browser of [new WebBrowser(), mallory.browser, own]) {
      expect(await continueAs(browser, "hal", state)).toBe("expired");
    }
    expect(await loginTypeOf("hal")).toBe("password");
    expect(await loginTypeOf("mallory")).toBe("password");
  });

  it("is of no use once the browser has another session", async () => {
    world.addPerson("nia");
    const { client, browser } = await addPasswordUser("nia");
    const other = await addPasswordUser("other");
    const isCallback = (url: URL): boolean => url.pathname === "/login/with/acme/callback";
    const options = { query: { oidc_merge_state: await stateOf(client) }, stopsAt: isCallback };
    const { url } = await logInAtAcme(world.server, browser, "nia", options);
    const token = other.client.headers["Coder-Session-Token"] ?? "";
    browser.setCookie(world.server.url, "coder_session_token", token);
    const page = await browser.open(url);
    expect(new URL(page.url).searchParams.get("error")).toBe("expired");
    expect(await world.whoIs(browser)).toBe("other");
    expect(await loginTypeOf("nia")).toBe("password");
  });

  it("converts once, however often it is used at the same moment", async () => {
    const { client } = await addPasswordUser("ida");
    const state = await stateOf(client);
    const logins = ["ida-1", "ida-2", "ida-3"];
    for (const login of logins) world.addPerson(login);
    const isCallback = (url: URL): boolean => url.pathname === "/login/with/acme/callback";
    const begun = await Promise.all(
      logins.map(async (login) => {
        const browser = browserOf(client);
        const options = { query: { oidc_merge_state: state }, stopsAt: isCallback };
        const { url } = await logInAtAcme(world.server, browser, login, options);
        return { browser, url };
      }),
    );
    await Promise.all(begun.map(({ browser, url }) => browser.open(url)));
    const names = await Promise.all(begun.map(({ browser }) => world.whoIs(browser)));
    expect(names.filter((name) => name === "ida")).toHaveLength(1);
    expect(names.filter((name) => name === 401)).toHaveLength(2);
    const people = await world.server.db
      .selectFrom("user_identities")
      .where("subject", "in", logins)
      .select("subject")
      .execute();
    expect(people).toHaveLength(1);
    expect(await continueAs(browserOf(client), "ida-1", state)).toBe("expired");
  });

  it("ends with the session, and when the password is changed", async () => {
    world.addPerson("jo");
    const { id, client, browser } = await addPasswordUser("jo");
    const state = await stateOf(client);
    const isCallback = (url: URL): boolean => url.pathname === "/login/with/acme/callback";
    const options = { query: { oidc_merge_state: state }, stopsAt: isCallback };
    const { url } = await logInAtAcme(world.server, browser, "jo", options);
    const password = { password: "another-horse-battery-43" };
    await world.server.request("PUT", `/users/${id}/password`, password);
    const page = await browser.open(url);
    expect(new URL(page.url).searchParams.get("error")).toBe("expired");
    expect(await loginTypeOf("jo")).toBe("password");
  });

  it("is none that somebody else made", async () => {
    world.addPerson("kay");
    const { browser } = await addPasswordUser("kay");
    for (const state of ["", "x", "a.b.c.d.e", "x".repeat(5_000)]) {
      expect(await continueAs(browser, "kay", state)).toBe("expired");
    }
  });
});

describe("the recovery of an owner whose provider is gone", () => {
  const reset = async (user: string | undefined) => {
    const texts = { out: "", err: "" };
    const code = await runResetPassword({
      flags: { SLIPWAY_POSTGRES_URL: world.server.postgresUrl },
      environment: {},
      user,
      password: undefined,
      stdout: (text) => (texts.out += text),
      stderr: (text) => (texts.err += text),
      signal: new AbortController().signal,
    });
    return { code, ...texts };
  };

  it("gives them a password, and ends the login at the provider", async () => {
    world.addPerson("lee");
    const browser = new WebBrowser();
    await logInAtAcme(world.server, browser, "lee");
    const { code, out, err } = await reset("lee");
    expect(code).toBe(0);
    expect(err).toContain("lee logged in at a login provider (oidc); that login no longer works");
    expect(err).toContain("all sessions and tokens of lee are revoked");
    expect(await world.whoIs(browser)).toBe(401);
    const credentials = { email: "lee@example.com", password: out.trim() };
    const path = "/users/login";
    const answer = await world.server.request("POST", path, credentials, { headers: {} });
    expect(answer.status).toBe(201);
    const { url } = await logInAtAcme(world.server, new WebBrowser(), "lee");
    expect(new URL(url).searchParams.get("error")).toBe("email-taken");
    const trail = await world.server.request("GET", "/audit?q=resource_target:lee action:write");
    const change = { login_type: { old: "oidc", new: "password" } };
    expect(trail.body).toMatchObject({ audit_logs: [{ diff: change }, {}] });
  });

  it("lets them convert again once it is back", async () => {
    const { out } = await reset("lee");
    const answer = await world.server.request(
      "POST",
      "/users/login",
      { email: "lee@example.com", password: out.trim() },
      { headers: {} },
    );
    const token = String(Object(answer.body).session_token);
    const headers = { "Coder-Session-Token": token };
    const input = { to_type: "oidc", password: out.trim() };
    const begun = await world.server.request("POST", "/users/me/convert-login", input, { headers });
    const browser = new WebBrowser();
    browser.setCookie(world.server.url, "coder_session_token", token);
    expect(await continueAs(browser, "lee", String(Object(begun.body).state_string))).toBeNull();
    expect(await loginTypeOf("lee")).toBe("oidc");
  });
});
