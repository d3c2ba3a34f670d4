import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { ask } from "./support/app-world.ts";
import {
  callback,
  consent,
  nonceOf,
  OauthProgram,
  post,
  tokensOf,
} from "./support/oauth-program.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";
import { ProviderBrowser } from "./support/provider-browser.ts";

/* Strangers and programs that try to get what no user granted. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ada: Person;
let program: OauthProgram;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  ada = await addPerson(server, "ada");
  program = await OauthProgram.register(server);
});
afterAll(() => opened.disposeAsync());

const register = (json: unknown) => post(server, "/oauth2/register", { json });
const browserOf = ({ client }: Person) => new ProviderBrowser(server, client);

async function newCode(by: OauthProgram = program): Promise<string> {
  return (await by.decide(ada)).searchParams.get("code") ?? "";
}

describe("a registration", () => {
  it.each([
    ["a number", 1, "invalid_client_metadata"],
    ["no redirect URIs", {}, "invalid_client_metadata"],
    [
      "a name that is not a string",
      { redirect_uris: [callback], client_name: {} },
      "invalid_client_metadata",
    ],
    ["an empty list", { redirect_uris: [] }, "invalid_redirect_uri"],
    ["a script", { redirect_uris: [callback, "javascript:alert(1)"] }, "invalid_redirect_uri"],
    [
      "17 URIs",
      { redirect_uris: Array.from({ length: 17 }, () => callback) },
      "invalid_redirect_uri",
    ],
    [
      "a long URI",
      { redirect_uris: [`https://x.example/${"a".repeat(500)}`] },
      "invalid_redirect_uri",
    ],
    [
      "long URIs",
      {
        redirect_uris: ["a", "b", "c", "d"].map((path) => `https://x.example/${path.repeat(400)}`),
      },
      "invalid_redirect_uri",
    ],
  ])("with %s is refused", async (_, json, error) => {
    expect(await register(json)).toMatchObject({ status: 400, body: { error } });
  });

  it("of the largest size has an id that every step accepts", async () => {
    const uris = ["a", "b", "c"].map((path) => `https://x.example/${path.repeat(494)}`);
    const { body } = await register({ redirect_uris: uris, client_name: "界".repeat(200) });
    const changes = { client_id: String(body["client_id"]), redirect_uri: uris[2] };
    const { status, text } = await browserOf(ada).ask(program.authorizePath(changes));
    expect({ status, isNamed: text.includes("“界界") }).toEqual({ status: 200, isNamed: true });
  });

  it("cannot write the page with its name", async () => {
    const name = `<script>alert(1)</script>"'\u202e\u0000\n${"x".repeat(300)}`;
    const { body } = await register({ redirect_uris: [callback], client_name: name });
    const path = program.authorizePath({ client_id: String(body["client_id"]) });
    const { text } = await browserOf(ada).ask(path);
    expect(text).toContain("“&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;");
    expect(text).not.toMatch(/<script|\u202e|x{80}/);
    expect(text).not.toContain("\u0000");
  });
});

describe("a request for authorization", () => {
  it.each([
    ["no client", { client_id: undefined }],
    ["an unknown client", { client_id: "someone" }],
    ["a nonce as client", { client_id: "nonce" }],
    ["no address", { redirect_uri: undefined }],
    ["another site's address", { redirect_uri: "https://evil.example/callback" }],
    ["another path", { redirect_uri: `${callback}/../other` }],
    [
      "a name that begins like the address",
      { redirect_uri: "http://127.0.0.1.evil.example/callback" },
    ],
    [
      "a user that looks like the address",
      { redirect_uri: "http://127.0.0.1:33418@evil.example/callback" },
    ],
  ])("with %s leads nowhere", async (_, changes) => {
    const browser = browserOf(ada);
    const nonce = nonceOf((await browser.ask(program.authorizePath())).text);
    const isNonce = "client_id" in changes && changes.client_id === "nonce";
    const changed = isNonce ? { client_id: nonce } : changes;
    const { status, headers, text } = await browser.ask(program.authorizePath(changed));
    expect(status).toBe(400);
    expect(headers).not.toHaveProperty("location");
    expect(headers).not.toHaveProperty("refresh");
    expect(text).not.toContain("<a ");
  });

  it.each([
    ["plain challenge", { code_challenge_method: "plain" }, "invalid_request"],
    ["challenge without a method", { code_challenge_method: undefined }, "invalid_request"],
    ["challenge that is not a hash", { code_challenge: "short" }, "invalid_request"],
    ["missing challenge", { code_challenge: undefined }, "invalid_request"],
    ["token in the address", { response_type: "token" }, "unsupported_response_type"],
    ["answer in a fragment", { response_mode: "fragment" }, "invalid_request"],
    [
      "resource of another server",
      { resource: "https://other.example/api/v2/mcp" },
      "invalid_target",
    ],
    [
      "resource that begins like ours",
      { resource: "http://127.0.0.1.evil.example" },
      "invalid_target",
    ],
    ["scope of everything", { scope: "coder:all" }, "invalid_scope"],
  ])("with a %s tells the program only if a person agrees", async (_, changes, error) => {
    const { status, headers, text } = await browserOf(ada).ask(program.authorizePath(changes));
    expect(status).toBe(400);
    expect(headers).not.toHaveProperty("location");
    expect(headers).not.toHaveProperty("refresh");
    expect(text).toContain(`href="${callback}?error=${error}`);
  });

  it("with a repeated parameter is refused", async () => {
    const path = `${program.authorizePath()}&redirect_uri=${encodeURIComponent(callback)}`;
    expect((await browserOf(ada).ask(path)).status).toBe(400);
  });

  it("without a session leads to the login and back", async () => {
    const path = program.authorizePath();
    const { status, headers } = await ask(server.url, path);
    expect(status).toBe(303);
    const { pathname, searchParams } = new URL(headers.location ?? "", server.url);
    expect([pathname, searchParams.get("redirect")]).toEqual(["/login", path]);
  });

  it("is shown to no token, no header and no session that an administrator created, but only to the person", async () => {
    const path = program.authorizePath();
    const { body } = await server.request("POST", "/users/me/keys/tokens", {}, ada.client);
    const token = String(Object(body).key);
    const { access } = await program.logIn(ada);
    const byAdmin = await server.request("POST", `/users/${ada.user.id}/keys`);
    const others = String(Object(byAdmin.body).key);
    for (const headers of [
      ada.client.headers,
      { Authorization: `Bearer ${token}` },
      { Cookie: `coder_session_token=${token}` },
      { Cookie: `coder_session_token=${access}` },
      { Cookie: `coder_session_token=${others}` },
    ]) {
      expect((await ask(server.url, path, { headers })).status).toBe(303);
    }
  });

  it("is shown on a page that cannot be framed, cached or scripted", async () => {
    const { headers, text } = await browserOf(ada).ask(program.authorizePath());
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["cache-control"]).toBe("no-store");
    expect(text).toContain("a program on your computer (127.0.0.1:33418)");
    expect(text).not.toContain("<script");
  });

  it("is not granted by a page of another site, nor by the form of another request or user", async () => {
    const path = program.authorizePath();
    const browser = browserOf(ada);
    const nonce = nonceOf((await browser.ask(path)).text);
    const eve = await addPerson(server, "eve");
    const evesNonce = nonceOf((await browserOf(eve).ask(path)).text);
    const other = await OauthProgram.register(server);
    const forged = await ask(server.url, path, {
      method: "POST",
      headers: { Cookie: browser.cookies, Origin: "https://evil.example" },
      body: consent(nonce, "allow"),
    });
    expect(forged.status).toBe(403);
    for (const [where, with_] of [
      [path, ""],
      [path, evesNonce],
      [other.authorizePath(), nonce],
    ] as const) {
      const { status, headers } = await browser.ask(where, "POST", consent(with_, "allow"));
      expect(status).toBe(403);
      expect(headers).not.toHaveProperty("refresh");
    }
  });
});

describe("a code", () => {
  it("works once: a second use ends what the first one got", async () => {
    const code = await newCode();
    const { access, refresh } = tokensOf(await program.redeem(code));
    expect((await program.redeem(code)).body).toMatchObject({ error: "invalid_grant" });
    expect((await program.refresh(refresh)).status).toBe(400);
    const headers = { Authorization: `Bearer ${access}` };
    expect((await server.request("GET", "/workspaces", undefined, { headers })).status).toBe(401);
  });

  it("gives tokens to one of many that redeem it at once, or to none", async () => {
    const code = await newCode();
    const answers = await Promise.all(Array.from({ length: 8 }, () => program.redeem(code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it.each([
    ["another verifier", { code_verifier: "x".repeat(43) }],
    ["another address", { redirect_uri: "http://127.0.0.1:1/callback" }],
    ["an unknown code", { code: "x".repeat(43) }],
  ])("with %s gives nothing", async (_, changes) => {
    const answer = await program.redeem(await newCode(), changes);
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it.each([
    ["no verifier", { code_verifier: undefined }, "invalid_request"],
    ["no client", { client_id: undefined }, "invalid_request"],
    ["an unknown client", { client_id: "someone" }, "invalid_client"],
    ["another server's resource", { resource: "https://other.example" }, "invalid_target"],
    ["another grant type", { grant_type: "password" }, "unsupported_grant_type"],
  ])("with %s is refused", async (_, changes, error) => {
    const { status, body } = await program.redeem(await newCode(), changes);
    expect({ status, error: body["error"] }).toEqual({
      status: error === "invalid_client" ? 401 : 400,
      error,
    });
  });

  it("of one program gives nothing to another, and neither does its refresh token", async () => {
    const other = await OauthProgram.register(server);
    const changes = { client_id: other.clientId };
    expect((await program.redeem(await newCode(), changes)).status).toBe(400);
    const { refresh } = await program.logIn(ada);
    expect((await program.refresh(refresh, changes)).status).toBe(400);
    expect((await program.refresh(refresh)).status).toBe(200);
  });

  it("is not read from an address", async () => {
    const query = new URLSearchParams({
      grant_type: "authorization_code",
      code: await newCode(),
      code_verifier: program.verifier,
      client_id: program.clientId,
      redirect_uri: callback,
    });
    const answer = await post(server, `/oauth2/tokens?${query.toString()}`, {
      form: new URLSearchParams(),
    });
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  it("ends with the session that granted it, and after five minutes", async () => {
    const bob = await addPerson(server, "bob");
    const code = (await program.decide(bob)).searchParams.get("code") ?? "";
    await server.request("POST", "/users/logout", undefined, bob.client);
    expect((await program.redeem(code)).status).toBe(400);
    const late = await newCode();
    await server.db
      .updateTable("oauth_grants")
      .set({ created_at: new Date(Date.now() - 301_000).toISOString() })
      .where("key_id", "is", null)
      .execute();
    expect((await program.redeem(late)).status).toBe(400);
    await newCode();
    const left = await server.db
      .selectFrom("oauth_grants")
      .where("key_id", "is", null)
      .select("id")
      .execute();
    expect(left).toHaveLength(1);
  });
});

it.each(["/oauth2/tokens", "/oauth2/revoke", "/oauth2/register"])(
  "%s refuses pages of other sites, and bodies that are too large",
  async (path) => {
    const headers = { Origin: "https://evil.example" };
    expect((await ask(server.url, path, { method: "POST", headers })).status).toBe(403);
    const body = "x".repeat(20_000);
    expect((await ask(server.url, path, { method: "POST", body })).status).toBe(413);
    expect((await ask(server.url, path)).status).toBe(405);
  },
);

it("takes nothing from others, however many strangers register", async () => {
  const other = await OauthProgram.register(server);
  const statuses = new Set<number>();
  for (let sent = 0; sent < 600; sent += 50) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => register({ redirect_uris: [callback] })),
    );
    for (const { status } of answers) statuses.add(status);
  }
  expect(statuses).toEqual(new Set([201, 429]));
  const noted = server.db.selectFrom("audit_log").where("action", "=", "register").select("id");
  expect(await noted.execute()).toHaveLength(1);
  expect(await newCode(other)).not.toBe("");
});
